"""Compare what two networks deliver before the first step."""

import copy

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.distillation.example import run_example
from mmkd.models.distillation.recorder import Recorder
from mmkd.models.distillation.term import Term
from mmkd.models.teachers import FrozenTeacher

Size = tuple[int, int, int]


def check_shapes(
    student: nn.Module, teacher: FrozenTeacher, terms: list[Term], size: Size
) -> str | None:
    """Try both networks on black clips, build connectors, and try every loss.

    Args:
        student: A copy of the student; it is changed.
        teacher: A copy of the teacher.
        terms: Their connectors are built.
        size: Frames, height and width of the clips.

    Returns:
        None, or why shapes could not be compared.

    Raises:
        UserError: If a path does not exist or does not run, or outputs do not go
            together.
    """
    mine = Recorder(student, {term.student for term in terms}, 'student')
    theirs = Recorder(teacher.model, {term.teacher for term in terms}, 'teacher')
    teacher_size = (teacher.frames or size[0], *(teacher.size or size[1:]))
    reason = _try(student, mine, size) or _try(teacher.model, theirs, teacher_size)
    outputs = None if reason else (mine.take(), theirs.take())
    for term in terms:
        if outputs is None:
            term.connect(None)
            continue
        student_output, teacher_output = term.read(*outputs)
        term.connect((student_output.shape, teacher_output.shape))
        if not student_output.is_meta:
            _try_loss(term, student_output, teacher_output)
    return reason


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
