"""The parsing task: targets, masks, weights, and what it leaves alone."""

from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import Tensor
from torch.nn import functional

from mmkd.distill.trial import run_example
from mmkd.errors import UserError
from mmkd.methods.human_prior import ParsingDistill
from mmkd.methods.human_prior.part_shares import has_person
from mmkd.models.recorder import Recorder
from mmkd.models.tasks import EncodedViews, TargetMaps
from tests.methods.human_prior.test_part_distribution import slow_cell
from tests.methods.human_prior.test_part_pooling import pixels_of, slow
from tests.methods.human_prior.toy import PARTS, clips, human_prior, raw_batch, samples

CHANNELS, SIZE = 6, (2, 2, 2)


def task(**options: Any) -> ParsingDistill:
    torch.manual_seed(0)
    return ParsingDistill(CHANNELS, 'synthetic', **options).double()


def batch(maps: Tensor, valid: Tensor | None = None, views: int = 1) -> EncodedViews:
    """A batch of maps ``(N, M, T, ...)`` and random features."""
    torch.manual_seed(1)
    if valid is None:
        valid = torch.ones(maps.shape[:3], dtype=torch.bool)
    student = {
        view: torch.randn(len(maps), CHANNELS, *SIZE, dtype=torch.float64)
        for view in range(views)
    }
    return EncodedViews(student, {}, {}, None, {'part_maps': TargetMaps(maps, valid)})


def drawn(number: int = 3, views: int = 1) -> tuple[Tensor, Tensor]:
    parts = [
        sample.targets.part_maps for sample in samples(number, views=views, frames=4)
    ]
    return (
        torch.stack([part.maps for part in parts]),
        torch.stack([part.valid for part in parts]),
    )


def slow_loss(model: ParsingDistill, data: EncodedViews, view: int = 0) -> float:
    """The loss by loops, cell by cell, in float64."""
    maps, valid = data.target('part_maps', view)
    if model.mask == 'frames':
        shown = [[bool(((f > 0) & (f < 255)).any()) for f in clip] for clip in maps]
        valid = valid & torch.tensor(shown)
    mass = slow(maps, valid, PARTS, SIZE)
    pixels = pixels_of((maps.shape[1], *maps.shape[-2:]), SIZE)
    logits = model.head(data.student[view])
    total = weight_sum = 0.0
    for n, t, y, x in torch.ones(len(maps), *SIZE).nonzero().tolist():
        cell = (n, slice(None), t, y, x)
        seen = mass[cell].sum().item()
        if seen == 0:
            continue
        share = (mass[cell] / seen).tolist()
        person = 1 - share[0]
        if model.mask == 'cells' and person < model.min_share:
            continue
        low = model.background_weight
        weight = (low + (1 - low) * person) * seen / pixels[t, y, x].item()
        total += weight * slow_cell(model.form, logits[cell].tolist(), share)
        weight_sum += weight
    return total / weight_sum


@pytest.mark.parametrize('mask', ['cells', 'frames', 'none'])
@pytest.mark.parametrize('form', ['kl', 'ce', 'bce'])
def test_the_loss_equals_loops_over_cells(form: str, mask: str) -> None:
    maps, valid = drawn()
    # A clip without a person, a frame without one, a cell without one.
    maps[0] = 0
    maps[1, :, 1] = 0
    maps[2, :, :, :4, :4] = 0
    model = task(form=form, mask=mask, background_weight=0.3)
    data = batch(maps, valid)
    found = model.loss(data)['loss'].item()
    assert found == pytest.approx(slow_loss(model, data), rel=1e-6)


def test_the_masks_differ() -> None:
    maps, _ = drawn()
    maps[0] = 0
    maps[1, :, :2] = 0
    maps[2, :, :, :4, :4] = 0
    data = batch(maps)
    losses = {m: task(mask=m).loss(data) for m in ('cells', 'frames', 'none')}
    assert len({round(v['loss'].item(), 9) for v in losses.values()}) == 3
    # Of 24 cells: 8 of the first clip, the first 4 of the second, and the upper left
    # one of the third at both times, which is in a frame with a person.
    counted = [v['person'].item() for v in losses.values()]
    assert counted == pytest.approx([10 / 24, 12 / 24, 1])


@pytest.mark.parametrize('nobody', ['background', 'outside', 'invalid'])
def test_without_a_person_there_is_no_loss_and_no_gradient(nobody: str) -> None:
    maps, valid = drawn()
    if nobody == 'invalid':
        valid = torch.zeros_like(valid)
    else:
        maps.fill_(0 if nobody == 'background' else 255)
    model = task()
    result = model.loss(batch(maps, valid))
    assert result['loss'].item() == result['person'].item() == 0
    result['loss'].backward()
    assert not model.head.weight.grad.any()


def test_several_views_are_one_batch() -> None:
    maps, valid = drawn(views=2)
    data = batch(maps, valid, views=2)
    both = task(views=(0, 1)).loss(data)['loss']
    model = task()
    stacked = EncodedViews(
        {0: torch.cat([data.student[0], data.student[1]])},
        {},
        {},
        None,
        {
            'part_maps': TargetMaps(
                *(torch.cat([x[:, :1], x[:, 1:]]) for x in (maps, valid))
            )
        },
    )
    assert torch.equal(both, model.loss(stacked)['loss'])


def test_probabilities_of_certain_parts_equal_labels() -> None:
    maps, valid = drawn()
    maps[maps == 255] = 0
    sure = functional.one_hot(maps.long(), PARTS).movedim(-1, 3).mul(255).byte()
    for mask in ('cells', 'frames'):
        model = task(mask=mask)
        labels = model.loss(batch(maps, valid))['loss']
        torch.testing.assert_close(model.loss(batch(sure, valid))['loss'], labels)
    assert torch.equal(has_person(maps[:, 0], 0), has_person(sure[:, 0], 0))


def test_accuracy_counts_the_largest_part() -> None:
    maps = torch.full((1, 1, 4, 8, 8), 3, dtype=torch.uint8)
    model = task()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(torch.arange(PARTS) == 3)
    assert model.loss(batch(maps))['acc'].item() == pytest.approx(1)
    maps[:, :, :2] = 4
    assert model.loss(batch(maps))['acc'].item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'form': 'mse'}, "form='mse'"),
        ({'mask': 'clips'}, "mask='clips'"),
        ({'min_share': 2}, 'min_share 2'),
        ({'label_set': 'lipp'}, 'no label set'),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ParsingDistill(CHANNELS, **{'label_set': 'synthetic', **options})


def test_maps_of_another_label_set_are_refused() -> None:
    maps, _ = drawn()
    maps[0, 0, 0, 0, 0] = PARTS
    with pytest.raises(UserError, match=r'15 labels of .synthetic.*have 16 or more'):
        task().loss(batch(maps))
    few = torch.zeros(1, 1, 4, 7, 8, 8, dtype=torch.uint8)
    with pytest.raises(UserError, match=r'the part maps have 7'):
        task().loss(batch(few))


def test_without_maps_it_says_where_they_come_from() -> None:
    with pytest.raises(UserError, match=r'the samples have none\. Add mmkd\.Load'):
        human_prior()(clips(2), mode='loss')


def train(model: Any, steps: int = 3) -> list[dict[str, float]]:
    sgd = {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 1e-4}
    optimizer = build_optim_wrapper(model, {'optimizer': sgd})
    logs = []
    for step in range(steps):
        log = model.train_step(raw_batch(seed=step), optimizer)
        logs.append({k: v.item() for k, v in log.items()})
    return logs


def test_weight_zero_is_plain_rspnet_bit_for_bit() -> None:
    models = {
        'plain': human_prior(parsing=False),
        'last': human_prior('SharedFeature', parsing={'loss_weight': 0}),
        'stage': human_prior(
            'SharedFeature', parsing={'loss_weight': 0, 'stage': 'layer3'}
        ),
        'branch': human_prior(parsing={'loss_weight': 0}),
        'one': human_prior(parsing={'loss_weight': 1}),
    }
    logs = {name: train(model) for name, model in models.items()}
    states = {name: model.state_dict() for name, model in models.items()}
    for name in ('last', 'stage', 'branch'):
        for log, plain in zip(logs[name], logs['plain'], strict=True):
            assert {k: log[k] for k in plain} == plain
        for key, value in states['plain'].items():
            assert torch.equal(states[name][key], value), (name, key)
    key = 'backbone.conv1.conv.weight'
    assert not torch.equal(states['one'][key], states['plain'][key])
    assert logs['one'][0]['avid/loss_1'] == logs['plain'][0]['avid/loss_1']


def test_it_learns_where_the_parts_are() -> None:
    """Parts that follow the picture: what is bright is part 5, else background."""
    torch.manual_seed(0)
    model = ParsingDistill(CHANNELS, 'synthetic', mask='none', background_weight=1.0)
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    features = torch.randn(8, CHANNELS, 4, 4, 4)
    maps = (features[:, :1] > 0).byte() * 5
    data = EncodedViews(
        {0: features},
        {},
        {},
        None,
        {'part_maps': TargetMaps(maps, torch.ones(8, 1, 4).bool())},
    )
    first = model.loss(data)
    for _ in range(100):
        optimizer.zero_grad()
        model.loss(data)['loss'].backward()
        optimizer.step()
    last = model.loss(data)
    assert first['acc'] < 0.6 and last['acc'] > 0.97
    assert last['loss'] < first['loss'] / 5


def test_a_distiller_can_try_such_a_network_before_the_first_step() -> None:
    model = human_prior()
    recorder = Recorder(model, ['tasks.parsing.head'])
    with recorder:
        assert run_example(model, (8, 32, 32))
    assert recorder.take()['tasks.parsing.head'].shape == (2, PARTS, 1, 2, 2)
