"""Linear CKA against its definition by kernel matrices."""

import pytest
import torch
from torch import Tensor

from mmkd.models.metrics import linear_cka


def by_kernels(x: Tensor, y: Tensor) -> float:
    """HSIC of the two linear kernels, centred by the centring matrix."""
    n = len(x)
    centre = (torch.eye(n) - torch.ones(n, n).double() / n).double()

    def hsic(a: Tensor, b: Tensor) -> Tensor:
        return torch.trace(a @ a.T @ centre @ b @ b.T @ centre)

    x, y = x.double(), y.double()
    return float(hsic(x, y) / (hsic(x, x) * hsic(y, y)).sqrt())


def test_equals_the_definition():
    torch.manual_seed(0)
    x, y = torch.randn(30, 5) + 3, torch.randn(30, 7)
    mixed = torch.cat([x[:, :3], y], dim=1)
    for other in (y, mixed):
        assert linear_cka(x, other) == pytest.approx(by_kernels(x, other), abs=1e-12)
    assert linear_cka(x, mixed) > linear_cka(x, y)


def test_rotation_scale_and_shift_change_nothing():
    torch.manual_seed(1)
    x = torch.randn(20, 6)
    rotation, _ = torch.linalg.qr(torch.randn(6, 6))
    assert linear_cka(x, 3 * x @ rotation + 5) == pytest.approx(1, abs=1e-6)
    stretched = x * torch.tensor([1, 1, 1, 1, 1, 20.0])
    assert linear_cka(x, stretched) < 0.9


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match='20 samples against 19'):
        linear_cka(torch.randn(20, 3), torch.randn(19, 3))
    with pytest.raises(ValueError, match='the same for every sample'):
        linear_cka(torch.ones(20, 3), torch.randn(20, 3))
