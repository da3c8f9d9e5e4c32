import pytest

from mmkd.commands.benchmark.training import Variant
from mmkd.errors import UserError


def test_parse():
    assert Variant.parse('fp32') == Variant('fp32', None, False, False)
    both = Variant.parse('bf16+cl+compile')
    assert both == Variant('bf16+cl+compile', 'bfloat16', True, True)


@pytest.mark.parametrize('name', ['int8', 'fp32+fast', '', 'cl'])
def test_a_way_that_is_none(name):
    with pytest.raises(UserError, match='no way to compute a step'):
        Variant.parse(name)


def test_the_wrapper_keeps_optimizer_and_clipping():
    given = {
        'type': 'AmpOptimWrapper',
        'loss_scale': 'dynamic',
        'optimizer': {'type': 'SGD'},
        'clip_grad': {'max_norm': 1},
    }
    kept = {'optimizer': {'type': 'SGD'}, 'clip_grad': {'max_norm': 1}}
    assert Variant.parse('fp32').wrapper(given) == {'type': 'OptimWrapper', **kept}
    amp = {'type': 'mmkd.AmpOptimWrapper', 'dtype': 'bfloat16', **kept}
    assert Variant.parse('bf16+cl').wrapper(given) == amp
