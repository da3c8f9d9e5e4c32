"""Check on black clips what student and teacher return, before the first step."""

import copy
from typing import Any

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from torch import Tensor, nn

from mmkd.distill.teachers.teacher_network import TeacherNetwork, run_network
from mmkd.distill.term import Term
from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank
from mmkd.models.recorder import Recorder

Size = tuple[int, int, int]
"""Frames, height and width of a clip."""


def check_shapes(
    student: nn.Module, teacher: TeacherNetwork, terms: list[Term], size: Size
) -> str | None:
    """Try copies of both networks on black clips, build connectors, try every loss.

    Returns:
        None, or why shapes could not be compared.

    Raises:
        UserError: If a path does not exist or does not run, or outputs do not go
            together.
    """
    ours = Recorder(student, {term.student for term in terms}, 'student')
    other = Recorder(teacher.network(), {term.teacher for term in terms}, 'teacher')
    teacher_size = (teacher.frames or size[0], *(teacher.size or size[1:]))
    reason = _try(student, ours, size) or _try(teacher.network(), other, teacher_size)
    if reason is not None:
        for term in terms:
            term.connect(None)
        return reason
    outputs = ours.take(), other.take()
    for term in terms:
        pair = term.read(*outputs)
        term.connect((pair[0].shape, pair[1].shape))
        if not pair[0].is_meta:
            _try_loss(term, *pair)
    return None


def _try(network: nn.Module, recorder: Recorder, size: Size) -> str | None:
    """Run a network; return None if it ran, otherwise why not."""
    try:
        with torch.no_grad(), recorder:
            ran = run_example(network.eval(), size)
    except UserError:
        raise
    except Exception as error:  # whatever a network has against small black clips
        return f'{recorder.whose}: {str(error).splitlines()[0]}'
    return None if ran else f'unknown kind of {recorder.whose}'


@torch.no_grad()
def _try_loss(term: Term, student: Tensor, teacher: Tensor) -> None:
    trial = copy.deepcopy(term)
    trial.loss.eval()
    if trial.connector is not None:
        trial.connector.eval()
    labels = torch.zeros(len(student), dtype=torch.long)
    try:
        trial.compute(student, teacher, labels if 'labels' in term.asks else None)
    except (ValueError, RuntimeError) as error:
        raise term.refuse_shapes(student, teacher, error) from error


def run_example(model: Any, size: Size) -> bool:
    """Run a recognizer or Pretrainer on two black clips; memories change.

    Returns whether it was known how.
    """
    frames, height, width = size
    if hasattr(model, 'run_example'):
        for module in model.modules():
            if isinstance(module, MemoryBank) and not module.size:
                module.resize(2)
        model.run_example(size)
        return True
    layout = getattr(getattr(model, 'data_preprocessor', None), 'format_shape', None)
    shapes = {
        'NCTHW': (2, 1, 3, frames, height, width),
        'NCHW': (2, frames, 3, height, width),
    }
    if not isinstance(model, BaseRecognizer) or layout not in shapes:
        return False
    device = next(model.parameters()).device
    run_network(model, torch.zeros(shapes[layout], device=device), None)
    return True
