import pytest
import torch
from torch import nn

from mmkd.engine.speed import compile_networks
from mmkd.errors import UserError
from mmkd.registry import MODELS

CLIPS = (2, 2, 3, 8, 16, 16)


def auxskd() -> nn.Module:
    torch.manual_seed(0)
    blocks = (1, 1, 1, 1, 1)
    backbone = {'type': 'mmkd.C3D', 'base_channels': 4, 'stage_blocks': blocks}
    model = MODELS.build(
        {
            'type': 'mmkd.Pretrainer',
            'backbone': backbone,
            'tasks': {'skd': {'type': 'mmkd.SimilarityDistill', 'queue_size': 8}},
            'teachers': {'momentum': {'type': 'mmkd.MomentumTeacher'}},
        }
    )
    model.train()
    return model


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    model.loss(torch.randn(CLIPS), [])['skd/loss'].backward()
    return {k: p.grad for k, p in model.named_parameters() if p.grad is not None}


def test_networks_are_compiled_in_place_and_compute_the_same():
    plain, compiled = auxskd(), auxskd()
    names = list(compiled.state_dict())
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph.forward

    found = compile_networks(compiled, {'backend': keep})
    assert found == ['backbone', 'teachers.momentum.backbone']
    found, expected = gradients(compiled), gradients(plain)
    # One graph each for student and teacher, without a break.
    assert len(graphs) == 2
    assert list(compiled.state_dict()) == names
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


@pytest.mark.parametrize('options', ['yes', 3, ['inductor']])
def test_options_that_are_none(options):
    with pytest.raises(UserError, match='Give True or a dict'):
        compile_networks(auxskd(), options)


def test_a_model_without_a_backbone():
    with pytest.raises(UserError, match='has no backbone'):
        compile_networks(nn.Linear(1, 1), True)
