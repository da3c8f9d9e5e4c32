import torch
from mmaction.structures import ActionDataSample

from mmkd import compat
from mmkd.compat.half_precision_scores import HALF_PRECISION_SCORES
from mmkd.registry import MODELS


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
