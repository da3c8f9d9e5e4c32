import pytest
import torch
from torch import nn

from mmkd.engine.load_weights import LoadReport, grouped, load_weights
from mmkd.errors import UserError
from tests.engine.toy import ToyNet


def weights(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return {**ToyNet().state_dict(), **changes}


def test_everything_fits():
    model, state = ToyNet(), weights()
    report = load_weights(model, state)
    assert (len(report.loaded), report.missing, report.unused) == (9, [], [])
    assert str(report) == '9 tensors loaded'
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())


def test_the_prefix_of_a_wrapper_is_dropped():
    state = {f'module.{key}': value for key, value in weights().items()}
    assert str(load_weights(ToyNet(), state)) == '9 tensors loaded'


def test_what_did_not_load_is_named():
    model, state = (
        ToyNet(),
        weights(**{'neck.w': torch.ones(1), 'neck.b': torch.ones(1)}),
    )
    head = model.cls_head.bias.clone()
    del state['cls_head.bias'], state['backbone.1.num_batches_tracked']
    state['cls_head.weight'] = torch.ones(3, 4)
    report = load_weights(model, state)
    assert str(report) == (
        '6 tensors loaded; not in the checkpoint: cls_head.* (1); '
        'not used: neck.* (2); '
        'other shape, not loaded: cls_head.weight (3, 4) for (2, 4)'
    )
    assert torch.equal(model.cls_head.bias, head)


@pytest.mark.parametrize(
    ('state', 'message'),
    [
        ({}, 'c: nothing in it fits this model; it is empty'),
        (
            {'a.b': torch.ones(1)},
            r'c: nothing in it fits this model; it holds a\.\* \(1\)',
        ),
        (
            {'cls_head.bias': torch.ones(2), 'encoder.w': torch.ones(1)},
            r'c: no tensor of the backbone is in it; it holds encoder\.\* \(1\)',
        ),
        (
            weights(**{'backbone.0.weight': torch.ones(8, 3)}),
            r'another shape, backbone\.0\.weight \(8, 3\) for \(4, 3\)',
        ),
    ],
)
def test_a_checkpoint_that_gives_no_sound_backbone_is_refused(state, message):
    with pytest.raises(UserError, match=message):
        load_weights(ToyNet(), state).raise_if_useless('c')


def test_a_model_without_backbone_and_a_head_of_another_size_are_fine():
    model = nn.Sequential(nn.Linear(2, 2))
    report = load_weights(model, {'0.weight': torch.ones(2, 2)})
    report.raise_if_useless('c')
    state = weights(
        **{'cls_head.weight': torch.ones(3, 4), 'cls_head.bias': torch.ones(3)}
    )
    load_weights(ToyNet(), state).raise_if_useless('c')


def test_incomplete():
    LoadReport(['a'], [], ['unused'], []).raise_if_incomplete('c')
    with pytest.raises(UserError, match=r'c is not of this very model: .* a\.\* \(2\)'):
        LoadReport(['x'], ['a.b', 'a.c'], [], []).raise_if_incomplete('c')
    with pytest.raises(UserError, match=r'h \(2,\) for \(3,\)'):
        LoadReport(['x'], [], [], ['h (2,) for (3,)']).raise_if_incomplete('c')


def test_grouped_orders_by_count_and_stops():
    keys = ['a.x', 'b.x', 'b.y', 'plain', *[f'k{i}.x' for i in range(9)]]
    assert grouped(keys, shown=3) == 'b.* (2), a.* (1), plain (1) and 9 more groups'


def without(*prefixes: str) -> dict[str, torch.Tensor]:
    return {k: v for k, v in weights().items() if not k.startswith(prefixes)}


def test_part_of_a_backbone_is_refused_unless_it_is_listed():
    report = load_weights(ToyNet(), without('backbone.1.running'))
    with pytest.raises(UserError, match=r'\(2 tensors of the backbone\)'):
        report.raise_if_useless('c')
    with pytest.raises(UserError, match=r"allow_missing=\['backbone\.1\.\*', \.\.\.\]"):
        report.raise_if_useless('c', allow_missing=['backbone.1.running_mean'])
    report.raise_if_useless('c', allow_missing=['backbone.1.*'])


def test_what_is_left_over_of_a_backbone_is_refused_unless_it_is_listed():
    more = {'backbone.2.weight': torch.ones(1), 'neck.weight': torch.ones(1)}
    report = load_weights(ToyNet(), weights(**more))
    with pytest.raises(UserError, match=r'it has beyond this one 2\.\* \(1\)') as it:
        report.raise_if_useless('c')
    assert "allow_unused=['backbone.2.*', ...]" in it.value.remedy
    report.raise_if_useless('c', allow_unused=['backbone.2.*'])


def test_a_counter_of_batches_is_no_weight():
    counters = ('backbone.1.num', 'backbone.9.num')
    more = {f'{counters[1]}_batches_tracked': torch.tensor(3)}
    report = load_weights(ToyNet(), {**without(counters[0]), **more})
    report.raise_if_useless('c')
