import pytest
import torch
from torch import nn

from mmkd.engine.runner import ResumableRunner
from mmkd.engine.speed import apply_memory_format, set_memory_format
from mmkd.errors import UserError
from mmkd.registry import MODELS
from tests.engine.toy import ToyNet
from tests.models.test_gradients import build

LAST = torch.channels_last_3d


def test_every_map_of_a_network_is_in_the_order_of_its_kernels():
    network, orders = build('r3d'), []
    clips = torch.randn(2, 3, 16, 32, 32)
    network.eval()
    expected = network(clips)
    set_memory_format(network, 'channels_last_3d')
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d):
            layer.register_forward_hook(
                lambda _, x, y: orders.append(y.is_contiguous(memory_format=LAST))
            )
    result = network(clips)
    assert len(orders) == 12 and all(orders)
    assert result.is_contiguous(memory_format=LAST) and not result.is_contiguous()
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_names_values_and_other_tensors_stay_and_it_can_be_taken_back():
    model = nn.ModuleDict({'a': nn.Conv3d(4, 5, 3), 'b': nn.Conv2d(4, 5, 3)})
    before = {name: value.clone() for name, value in model.state_dict().items()}
    parameter = model['a'].weight
    apply_memory_format(model, {'memory_format': 'channels_last_3d'})
    assert model['a'].weight is parameter
    assert parameter.is_contiguous(memory_format=LAST)
    assert model['b'].weight.is_contiguous()
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    set_memory_format(model, 'contiguous')
    assert parameter.is_contiguous()
    apply_memory_format(model, {})
    assert parameter.is_contiguous()


def test_a_teacher_beside_the_model_is_reordered_too():
    from tests.distill.tiny import recognizer

    distiller = MODELS.build(
        {
            'type': 'mmkd.Distiller',
            'student': recognizer(),
            'teacher': {
                'type': 'mmkd.FrozenTeacher',
                'config': recognizer(),
                'checkpoint': 'random',
            },
            'losses': {
                'kd': {
                    'student': 'cls_head.fc_cls',
                    'teacher': 'cls_head.fc_cls',
                    'loss': {'type': 'mmkd.SoftTargetKL'},
                }
            },
        }
    )
    set_memory_format(distiller, 'channels_last_3d')
    kernels = [p for p in distiller.teacher.parameters() if p.dim() == 5]
    assert kernels and all(p.is_contiguous(memory_format=LAST) for p in kernels)


def test_an_order_that_is_not_known():
    with pytest.raises(UserError, match="memory_format is 'channels_first'"):
        set_memory_format(nn.Conv3d(1, 1, 1), 'channels_first')


def test_the_runner_reads_it_from_the_config(tmp_path):
    model = ToyNet()
    model.stem = nn.Conv3d(3, 4, 3)
    runner = ResumableRunner(
        model,
        str(tmp_path),
        experiment_name='order',
        log_level='ERROR',
        cfg={'memory_format': 'channels_last_3d'},
    )
    assert runner.model.stem.weight.is_contiguous(memory_format=LAST)
