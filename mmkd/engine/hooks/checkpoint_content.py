"""Record input, training list and teacher in checkpoints; compare them when loading."""

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmengine.visualization import LocalVisBackend

from mmkd.config_files import refuse_split_variable
from mmkd.distill.teachers import FrozenTeacher
from mmkd.engine.load_weights import load_weights
from mmkd.engine.sample_lists import LIST_KEY, hashes, overlap_line, video_names
from mmkd.engine.trained_model import unwrap
from mmkd.errors import UserError
from mmkd.models import Pretrainer
from mmkd.models.input_adoption import adopt_input, settle_input, write_input
from mmkd.models.input_convention import KEY, InputConvention
from mmkd.registry import HOOKS

_TEACHER = 'teacher_hash'


def _source(runner: Runner) -> str:
    """Return what messages call the checkpoint of a run."""
    return f'checkpoint {runner._load_from or ""}'.rstrip()


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Load the weights of a checkpoint and report, in one line, what was used.

    MMEngine skips whatever does not match and lists it key by key. Here the backbone
    must be there as a whole, with nothing left over of it, and when resuming (or with
    ``strict``) everything must.

    The hook is the last one to see the checkpoint, after those that rewrite it, and
    hands the model's own state to MMEngine, which then has nothing left to complain of.

    Args:
        strict: Whether every key of the model must be in the checkpoint even when not
            resuming; ``tools/test.py`` sets it. Defaults to False.
        allow_missing: Patterns of tensors of the backbone that a checkpoint may lack,
            as ``'backbone.layer4.*'``; they keep their random start. Defaults to none.
        allow_unused: Patterns of tensors ``backbone.*`` that a checkpoint may have
            beyond the model's, as ``'backbone.fc.*'``. Defaults to none.

    Example:
        >>> load_from = 'work_dirs/pace/c3d_ucf101/epoch_18.pth'
        >>> custom_hooks = [dict(type='mmkd.LoadReportHook', strict=True)]
        >>> custom_hooks = [
        ...     dict(type='mmkd.LoadReportHook', allow_unused=['backbone.fc.*'])
        ... ]
    """

    priority = 'LOWEST'

    def __init__(
        self,
        strict: bool = False,
        allow_missing: Sequence[str] = (),
        allow_unused: Sequence[str] = (),
    ) -> None:
        self.strict = strict
        self.allow_missing = tuple(allow_missing)
        self.allow_unused = tuple(allow_unused)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Load ``checkpoint['state_dict']`` into the model."""
        model = unwrap(runner.model)
        report = load_weights(model, checkpoint.get('state_dict', checkpoint))
        source = _source(runner)
        report.raise_if_useless(source, self.allow_missing, self.allow_unused)
        if runner._resume or self.strict:
            report.raise_if_incomplete(source)
        runner.logger.info(f'{source}: {report}')
        checkpoint['state_dict'] = model.state_dict()


@HOOKS.register_module()
class InputConventionHook(Hook):
    """Write the input convention into checkpoints, and adopt it when they are loaded.

    Weights trained on BGR pixels in 0..255 would load without a word into a model that
    feeds normalised RGB. With ``convention='auto'`` the model feeds what its weights
    were trained with; the config of the run, which is written to disk once more, then
    says so in words. Another one that the config names gets one line when a network is
    fine-tuned, and is refused in a test and in a further phase of pre-training unless
    the config insists. A preprocessor without a convention is passed over.

    Example:
        >>> preprocessor = dict(type='mmkd.ClipPreprocessor', convention='bgr255')
        >>> model = dict(data_preprocessor=preprocessor)
        >>> custom_hooks = [dict(type='mmkd.InputConventionHook')]
    """

    # Before whatever loads the checkpoint, or feeds the model.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._settled = self._loaded = False

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['input_convention']``, a plain dict."""
        preprocessor = getattr(unwrap(runner.model), 'data_preprocessor', None)
        convention = getattr(preprocessor, 'convention', None)
        if isinstance(convention, InputConvention):
            checkpoint['meta'][KEY] = convention.as_dict()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Adopt the input convention of the weights."""
        model = unwrap(runner.model)
        loops = (runner._test_loop, runner._val_loop)
        trains = isinstance(runner._train_loop, BaseLoop)
        tests = not trains and any(isinstance(loop, BaseLoop) for loop in loops)
        must_agree = tests or isinstance(model, Pretrainer)
        if runner._resume:  # the run goes on with what it was fed
            if not hasattr(model.data_preprocessor, 'adopt'):
                return
            must_agree = True
        adopt_input(model, checkpoint, _source(runner), must_agree)
        # What was decided here need not be decided once more by torch.
        metadata = getattr(checkpoint.get('state_dict'), '_metadata', None) or {}
        metadata.get('data_preprocessor', {}).pop(KEY, None)
        self._settled, self._loaded = False, True

    def before_train(self, runner: Runner) -> None:
        """Settle an input that no checkpoint stated, and write it into the config."""
        if self._settled:
            return
        self._settled = True
        model = unwrap(runner.model)
        if not self._loaded:
            settle_input(model)
        if write_input(runner.cfg, model):
            runner.dump_config()
            for backend in runner.visualizer._vis_backends.values():
                if isinstance(backend, LocalVisBackend):
                    backend.add_config(runner.cfg)

    before_val = before_test = before_train


@HOOKS.register_module()
class TrainingListHook(Hook):
    """Write hashes of the training videos into checkpoints; warn where they are tested.

    A test of split 2 with weights of split 1 looks like a very good result. The names
    are compared, relative to the folder of the videos, so that a set that was moved or
    transcoded is known again.

    Example:
        >>> custom_hooks = [dict(type='mmkd.TrainingListHook')]
    """

    priority = 'LOW'

    def before_run(self, runner: Runner) -> None:
        """Forget the list of an earlier run."""
        refuse_split_variable()
        self._hashes: Any = None

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['training_list_hashes']``, int64 ``(V,)``."""
        if getattr(self, '_hashes', None) is None:
            self._hashes = hashes(video_names(runner.train_dataloader.dataset))
        if len(self._hashes):
            checkpoint['meta'][LIST_KEY] = self._hashes

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Warn, in one line, if a test is about to see videos of the training list."""
        loop = runner._test_loop
        if not isinstance(loop, BaseLoop):  # not built: nothing is tested
            return
        names = video_names(loop.dataloader.dataset)
        line = overlap_line(checkpoint.get('meta'), names, 'the checkpoint')
        if line is not None:
            runner.logger.warning(line)


@HOOKS.register_module()
class TeacherHashHook(Hook):
    """Log the fingerprint of a frozen teacher at the start, and compare at the end.

    It is written into the meta of checkpoints, so that a run is not resumed with
    another teacher. A model without a frozen teacher is passed over.

    Example:
        A config on a base of MMAction2's names it itself; ours have it from their base:

        >>> custom_hooks = [dict(type='mmkd.LoadReportHook')]
        >>> custom_hooks += [dict(type='mmkd.TeacherHashHook')]
    """

    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Log the fingerprint."""
        teacher = _teacher_of(runner)
        self._first = teacher.hash() if teacher is not None else None
        if teacher is not None:
            runner.logger.info(f'{teacher.source}: frozen, hash {self._first}')

    def after_train(self, runner: Runner) -> None:
        """Compare and log it.

        Raises:
            RuntimeError: If the teacher was changed: a defect, nothing a user causes.
        """
        teacher = _teacher_of(runner)
        if teacher is None or self._first is None:
            return
        last = teacher.hash()
        if last != self._first:
            raise RuntimeError(f'a frozen teacher changed from {self._first} to {last}')
        runner.logger.info(f'{teacher.source}: unchanged, hash {last}')

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['teacher_hash']``."""
        teacher = _teacher_of(runner)
        if teacher is not None:
            checkpoint['meta'][_TEACHER] = teacher.hash()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse to resume with another teacher."""
        teacher = _teacher_of(runner)
        saved = checkpoint.get('meta', {}).get(_TEACHER)
        if not runner._resume or teacher is None or saved in (None, teacher.hash()):
            return
        raise UserError(
            f'the run to resume had a teacher of hash {saved}, {teacher.source} has '
            f'{teacher.hash()}',
            'Give the same teacher, or start again from the weights with load_from.',
        )


def _teacher_of(runner: Runner) -> FrozenTeacher | None:
    teacher = getattr(unwrap(runner.model), 'teacher', None)
    return teacher if isinstance(teacher, FrozenTeacher) else None
