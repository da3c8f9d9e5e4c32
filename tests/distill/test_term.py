from typing import Any

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmkd.distill import Term
from mmkd.distill.losses import decoupled_kd
from mmkd.distill.term import mean_cosine, same_choice
from mmkd.errors import UserError
from mmkd.registry import MODELS
from tests.distill.tiny import FEATURE, LOGITS


@MODELS.register_module(name='AsksForMore', force=True)
class AsksForMore(nn.Module):
    def forward(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        return student.sum()


def test_pooling_connector_loss_and_weight_in_this_order() -> None:
    connector = {'type': 'mmkd.LinearConnector'}
    term = Term('feature', **{**FEATURE, 'connector': connector, 'weight': 3.0})
    of_student, of_teacher = torch.randn(2, 4, 2, 3, 3), torch.randn(2, 6, 1, 2, 2)
    student, teacher = {'backbone': of_student}, {'backbone': of_teacher}
    pair = term.read(student, teacher)
    term.connect((pair[0].shape, pair[1].shape))
    connected = term.connector(of_student.mean((2, 3, 4)))
    expected = 3 * (connected - of_teacher.mean((2, 3, 4))).square().mean()
    torch.testing.assert_close(term(student, teacher, None), expected)


def test_labels_go_to_the_loss_that_asks_for_them() -> None:
    term = Term('dkd', student='a', teacher='b', loss={'type': 'mmkd.DecoupledKD'})
    of_student, of_teacher = torch.randn(2, 2, 5)
    samples = [ActionDataSample().set_gt_label(n) for n in (4, 0)]
    expected = decoupled_kd(of_student, of_teacher, torch.tensor([4, 0]))
    assert torch.equal(term({'a': of_student}, {'b': of_teacher}, samples), expected)
    with pytest.raises(UserError, match='asks for labels, and the clips have none'):
        term({'a': of_student}, {'b': of_teacher}, [ActionDataSample()])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'loss': {'type': 'mmkd.Nothing'}}, r"'x': loss: there is no type 'mmkd\.N"),
        (
            {'loss': {'type': 'mmkd.SoftTargetKL', 'temprature': 1}},
            r"SoftTargetKL has no argument 'temprature'. It takes: temperature, stand",
        ),
        (
            {'loss': {'type': 'mmkd.QueueSimilarity'}},
            r"QueueSimilarity needs 'channels'. It takes: channels, queue_size",
        ),
        (
            {'loss': {'type': 'mmkd.AsksForMore'}},
            r"asks for 'mask', which nothing supplies; supplied are student, teacher, ",
        ),
    ],
)
def test_losses_are_checked_when_built(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Term('x', **{**LOGITS, **changes})


def test_a_connector_needs_its_widths() -> None:
    term = Term('x', **{**FEATURE, 'connector': {'type': 'mmkd.LinearConnector'}})
    with pytest.raises(UserError, match=r'Give connector=dict\(in_channels=..., out'):
        term.connect(None)
    term.connector_config = {
        'type': 'mmkd.LinearConnector',
        'in_channels': 2,
        'out_channels': 3,
    }
    term.connect(None)
    assert term.connector.weight.shape == (3, 2)


def test_shapes_that_do_not_go_together_are_named() -> None:
    term = Term('x', **LOGITS)
    student = {'cls_head.fc_cls': torch.zeros(2, 3)}
    teacher = {'cls_head.fc_cls': torch.zeros(2, 5)}
    message = r"'cls_head.fc_cls' of the student gives \(2, 3\).*teacher \(2, 5\)"
    with pytest.raises(UserError, match=message):
        term(student, teacher, None)


def test_it_keeps_the_agreement_of_the_last_batch() -> None:
    logits = Term('logits', **LOGITS)
    assert logits.agreement is None
    of_student = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    of_teacher = torch.tensor([[9.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    logits({'cls_head.fc_cls': of_student}, {'cls_head.fc_cls': of_teacher}, None)
    assert logits.agreement.item() == 0.5
    feature = Term('feature', **FEATURE)
    maps = torch.randn(2, 3, 1, 2, 2)
    feature({'backbone': maps}, {'backbone': 5 * maps}, None)
    assert feature.agreement.item() == pytest.approx(1)


def test_outputs_of_two_widths_have_no_agreement() -> None:
    loss = {'type': 'mmkd.RelationalKD'}
    term = Term('relations', student='a', loss=loss)
    term({'a': torch.randn(4, 3)}, {'a': torch.randn(4, 5)}, None)
    assert term.agreement is None


def test_same_choice() -> None:
    student = torch.tensor([[1.0, 2.0, 0.0], [3.0, 1.0, 2.0], [0.0, 0.0, 9.0]])
    teacher = torch.tensor([[0.0, 5.0, 4.0], [1.0, 2.0, 0.0], [1.0, 2.0, 3.0]])
    found = same_choice(student.requires_grad_(), teacher)
    assert found.item() == pytest.approx(2 / 3)
    assert not found.requires_grad


def test_mean_cosine_against_numpy() -> None:
    student, teacher = torch.randn(2, 4, 3, 2, 5)
    pairs = zip(student.flatten(1).numpy(), teacher.flatten(1).numpy(), strict=True)
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]
    found = mean_cosine(student, teacher).item()
    assert found == pytest.approx(np.mean(cosines), abs=1e-6)
