import pytest
import torch

from mmkd.methods.rspnet import RelativeSpeedRankingLoss, relative_speed_ranking
from mmkd.models.losses import info_nce
from tests.golden import load_golden


def official(golden, double):
    dtype = torch.float64 if double else torch.float32
    return [golden.inputs(name).to(dtype) * 2 for name in ('pos', 'neg')]


@pytest.mark.parametrize('double', [False, True])
def test_equals_the_official_loss_and_gradient(double):
    golden = load_golden('loss_units')
    same, other = official(golden, double)
    same.requires_grad_()
    loss = relative_speed_ranking(same, other, temperature=1)
    golden.check('rsp_loss_M', loss, double)
    loss.backward()
    golden.check('rsp_loss_M_grad', same.grad, double)


@pytest.mark.parametrize('double', [False, True])
@pytest.mark.parametrize(('a', 'm'), [('1', '1'), ('0.5', '2')])
def test_the_official_total(a, m, double):
    golden = load_golden('loss_units')
    same, other = official(golden, double)
    logits = [3 * golden.inputs(name).to(same.dtype) for name in ('A1', 'A2')]
    contrast = sum(info_nce(x[:, 0], x[:, 1:], 1) for x in logits)
    ranking = relative_speed_ranking(same, other, temperature=1)
    total = float(a) * contrast + float(m) * ranking
    golden.check(f'rsp_loss_A{a}_M{m}', total, double)


def test_equals_the_slow_twin():
    torch.manual_seed(0)
    same, other = torch.rand(6).double(), torch.rand(6).double()
    pairs = list(zip(same.tolist(), other.tolist(), strict=True))
    terms = [max(0.0, 1.5 - (s - o) / 0.1) for s, o in pairs]
    assert 0 in terms
    expected = sum(terms) / 6
    loss = relative_speed_ranking(same, other, 1.5, 0.1)
    assert loss.item() == pytest.approx(expected)
    assert RelativeSpeedRankingLoss(1.5, 0.1)(same, other).item() == pytest.approx(
        expected
    )


def test_margin_is_two_at_equality_and_0_14_in_cosine():
    same = torch.tensor([0.3, -0.2], dtype=torch.float64)
    assert relative_speed_ranking(same, same).item() == pytest.approx(2)
    assert relative_speed_ranking(same + 0.1401, same).item() == 0
    assert relative_speed_ranking(same + 0.1399, same).item() > 0


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r'got \(4, 1\) and \(4,\)'):
        relative_speed_ranking(torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(ValueError, match=r'got \(4, 1\) and \(4, 1\)'):
        relative_speed_ranking(torch.zeros(4, 1), torch.zeros(4, 1))
    with pytest.raises(ValueError, match=r'got \(4,\) and \(1,\)'):
        relative_speed_ranking(torch.zeros(4), torch.zeros(1))
