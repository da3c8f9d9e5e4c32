import pytest
import torch
from mmaction.structures import ActionDataSample
from torch import nn
from torch.nn import functional

from mmkd import compat
from mmkd.compat.cpu import short_axes
from mmkd.compat.table import CPU_LOW_PRECISION_GRADIENT, HALF_PRECISION_SCORES
from mmkd.registry import MODELS

patched = pytest.mark.skipif(
    CPU_LOW_PRECISION_GRADIENT.name not in compat.applied(),
    reason='this machine has no bf16 kernels',
)


def test_it_is_needed_where_there_are_bf16_kernels(monkeypatch):
    kernels = torch.ops.mkldnn
    monkeypatch.setattr(
        kernels, '_is_mkldnn_bf16_supported', lambda: True, raising=False
    )
    assert CPU_LOW_PRECISION_GRADIENT.needed() is torch.backends.mkldnn.is_available()
    monkeypatch.setattr(
        kernels, '_is_mkldnn_bf16_supported', lambda: False, raising=False
    )
    assert not CPU_LOW_PRECISION_GRADIENT.needed()
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
    assert not CPU_LOW_PRECISION_GRADIENT.needed()


@pytest.mark.parametrize(
    ('options', 'sizes', 'axes'),
    [
        ({'kernel_size': 3, 'padding': 1}, (2, 7, 7), [0]),
        ({'kernel_size': 3, 'padding': 1}, (3, 3, 3), []),
        ({'kernel_size': 3, 'padding': (1, 0, 1)}, (2, 2, 2), [0, 2]),
        ({'kernel_size': (3, 1, 1), 'padding': (1, 0, 0)}, (2, 1, 1), [0]),
        ({'kernel_size': 3, 'padding': 2, 'dilation': 2}, (4, 5, 6), [0]),
        ({'kernel_size': (4, 1, 1), 'padding': 'same'}, (3, 1, 1), [0]),
    ],
)
def test_short_axes(options, sizes, axes):
    assert short_axes(nn.Conv3d(1, 1, **options), sizes) == axes


CASES = [
    (nn.Conv3d, {'kernel_size': 3, 'padding': 1}, (2, 7, 7)),
    (nn.Conv3d, {'kernel_size': (3, 1, 1), 'padding': (1, 0, 0)}, (2, 4, 4)),
    (nn.Conv3d, {'kernel_size': 7, 'padding': 3, 'stride': (1, 2, 2)}, (4, 8, 6)),
    (nn.Conv3d, {'kernel_size': (4, 3, 3), 'padding': 'same'}, (2, 5, 5)),
    (nn.Conv3d, {'kernel_size': 3, 'padding': 2, 'dilation': (2, 1, 1)}, (3, 4, 4)),
    (nn.Conv2d, {'kernel_size': 3, 'padding': 1, 'stride': 2}, (1, 1)),
]


@patched
@pytest.mark.filterwarnings('ignore:Using padding')
@pytest.mark.parametrize(('kind', 'options', 'sizes'), CASES)
def test_output_and_both_gradients_are_those_of_float64(kind, options, sizes):
    torch.manual_seed(0)
    layer = kind(16, 32, **options)
    layer.weight.data = layer.weight.data.bfloat16().float()
    x = torch.randn(2, 16, *sizes).bfloat16()
    found = {}
    for dtype in (torch.float64, torch.float32):
        layer, given = layer.to(dtype), x.to(dtype).requires_grad_()
        layer.zero_grad()
        with torch.autocast('cpu', torch.bfloat16, dtype is torch.float32):
            y = layer(given)
        torch.manual_seed(1)
        y.backward(torch.randn(y.shape).bfloat16().to(y.dtype))
        gradients = given.grad, layer.weight.grad, layer.bias.grad
        found[dtype] = [part.double() for part in (y.detach(), *gradients)]
    for exact, value in zip(*found.values(), strict=True):
        assert (value - exact).norm() <= 2**-8 * exact.norm()


@pytest.mark.parametrize('case', ['float32', 'no gradient', 'long enough', 'circular'])
def test_no_effect_where_the_kernel_is_sound(case, monkeypatch):
    layer = nn.Conv3d(
        3, 4, 3, padding=1, padding_mode='circular' if case == 'circular' else 'zeros'
    )
    x = torch.randn(1, 3, 4 if case == 'long enough' else 2, 5, 5)
    padded = []
    pad = functional.pad
    monkeypatch.setattr(
        functional, 'pad', lambda *a, **k: padded.append(a[1]) or pad(*a, **k)
    )
    with (
        torch.set_grad_enabled(case != 'no gradient'),
        torch.autocast('cpu', torch.bfloat16, case != 'float32'),
    ):
        layer(x)
    # Torch itself pads by hand where the border is no zero, on all three axes.
    around = [tuple(one) for one in padded]
    assert around == ([(1,) * 6] if case == 'circular' else [])


def test_a_recognizer_trains_on_scores_in_bf16():
    head = MODELS.build(
        {'type': 'mmaction.I3DHead', 'num_classes': 3, 'in_channels': 4}
    )
    labels = [ActionDataSample().set_gt_label(label) for label in (2, 0)]
    scores = torch.tensor([[0.0, 1.0, 2.0], [3.0, 1.0, 0.0]])
    assert HALF_PRECISION_SCORES.name in compat.applied()
    expected = head.loss_by_feat(scores, labels)
    # These scores are exact in bf16, and the loss is computed in float32.
    for given in (scores.bfloat16(), scores.double()):
        found = head.loss_by_feat(given, labels)
        assert found['top1_acc'] == expected['top1_acc'] == 1
        assert found['loss_cls'].dtype == (
            torch.float64 if given.dtype == torch.float64 else torch.float32
        )
        torch.testing.assert_close(found['loss_cls'].float(), expected['loss_cls'])


def test_it_is_needed_while_numpy_has_no_bf16(monkeypatch):
    assert HALF_PRECISION_SCORES.needed()
    monkeypatch.setattr(torch.Tensor, 'numpy', lambda self: 'an array')
    assert not HALF_PRECISION_SCORES.needed()
