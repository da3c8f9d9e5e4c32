import math

import pytest
import torch

from mmkd.models.losses import InfoNCELoss, info_nce
from tests.golden import load_golden


def slow_info_nce(positive, negatives, temperature):
    """Say the definition in plain numbers."""
    losses = []
    for own, others in zip(positive, negatives, strict=True):
        weights = [math.exp(s / temperature) for s in (own, *others)]
        losses.append(-math.log(weights[0] / sum(weights)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize('double', [False, True])
def test_equals_the_official_cross_entropies(double):
    golden = load_golden('loss_units')
    dtype = torch.float64 if double else torch.float32
    first, second = (golden.inputs(f'A{i}').to(dtype) * 3 for i in (1, 2))
    total = sum(info_nce(x[:, 0], x[:, 1:], temperature=1) for x in (first, second))
    golden.check('rsp_loss_A', total, double)
    logits = golden.inputs('nce').to(dtype)[..., 0] * 4
    golden.check('nce_softmax', info_nce(logits[:, 0], logits[:, 1:], 1), double)


def test_equals_the_slow_twin():
    torch.manual_seed(0)
    positive, negatives = torch.rand(5).double(), torch.rand(5, 7).double()
    expected = slow_info_nce(positive.tolist(), negatives.tolist(), 0.2)
    assert info_nce(positive, negatives, 0.2).item() == pytest.approx(expected)
    assert InfoNCELoss(0.2)(positive, negatives).item() == pytest.approx(expected)


def test_equal_similarities_cost_the_log_of_their_number():
    loss = info_nce(torch.zeros(3), torch.zeros(3, 16384))
    assert loss.item() == pytest.approx(math.log(16385), rel=1e-6)


@pytest.mark.parametrize('shapes', [((4, 1), (4, 3)), ((4,), (3, 3)), ((4,), (4,))])
def test_other_shapes_are_refused(shapes):
    with pytest.raises(ValueError, match='expected'):
        info_nce(*(torch.zeros(shape) for shape in shapes))
