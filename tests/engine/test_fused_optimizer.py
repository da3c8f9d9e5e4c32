import pytest
import torch

from mmkd.engine.runner import ResumableRunner
from mmkd.engine.speed import with_fused_step
from tests.engine.toy import ToyNet


def fused(device: str = 'cpu', **optimizer) -> bool | None:
    wrapper = {'type': 'OptimWrapper', 'optimizer': optimizer, 'clip_grad': None}
    result = with_fused_step(wrapper, device)
    assert {**result, 'optimizer': optimizer} == wrapper
    return result['optimizer'].get('fused')


@pytest.mark.parametrize(
    ('optimizer', 'device', 'expected'),
    [
        ({'type': 'SGD', 'lr': 0.1}, 'cpu', True),
        ({'type': 'AdamW', 'lr': 0.1}, 'cuda', True),
        ({'type': torch.optim.Adam, 'lr': 0.1}, 'cpu', True),
        ({'type': 'Adagrad'}, 'cpu', True),
        ({'type': 'Adagrad'}, 'cuda', None),
        ({'type': 'RMSprop'}, 'cpu', None),
        ({'type': 'SGD', 'lr': 0.1}, 'mps', None),
        ({'type': 'SGD', 'lr': 0.1, 'fused': False}, 'cpu', False),
        ({'type': 'SGD', 'lr': 0.1, 'foreach': True}, 'cpu', None),
        ({'type': 'NoSuchOptimizer'}, 'cpu', None),
    ],
)
def test_where_torch_has_a_fused_step(optimizer, device, expected):
    assert fused(device, **optimizer) is expected


def test_wrappers_that_build_their_optimizer_elsewhere_stay():
    wrapper = {'type': 'OptimWrapperDict', 'constructor': 'x'}
    assert with_fused_step(wrapper, 'cpu') is wrapper


def test_the_runner_uses_it_and_the_step_is_the_same(tmp_path):
    wrapper = {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}}
    weights = []
    for number, given in enumerate((None, False)):
        torch.manual_seed(0)
        runner = ResumableRunner(
            ToyNet(), str(tmp_path), experiment_name=f'f{number}', log_level='ERROR'
        )
        options = {} if given is None else {'fused': given}
        cfg = {'optimizer': {**wrapper['optimizer'], **options}}
        built = runner.build_optim_wrapper(cfg)
        assert built.optimizer.defaults['fused'] is (given is None)
        torch.manual_seed(1)
        for _ in range(3):
            x, labels = torch.randn(8, 3), torch.randint(2, (8,))
            built.update_params(runner.model(x, labels)['loss'])
        weights.append(runner.model.state_dict())
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name], rtol=1e-6, atol=1e-7)
