"""MMEngine's runner with a calm console, and runs that resume exactly."""

import errno
import logging
from collections.abc import Mapping
from typing import Any

from mmengine import dist
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from mmkd.engine.compilation import compile_networks
from mmkd.engine.fused_optimizer import with_fused_step
from mmkd.engine.loops import ResumableEpochLoop, ResumableIterLoop
from mmkd.engine.memory_format import apply_memory_format
from mmkd.engine.resumable_sampler import ResumableSampler
from mmkd.engine.seeded_dataset import SeededDataset
from mmkd.engine.torch_releases import warning_of_this_machine
from mmkd.engine.trained_parameters import leave_out_teachers
from mmkd.engine.workers import start_worker
from mmkd.errors import UserError
from mmkd.last_checkpoint import latest_checkpoint

# Of the disk, of a user's share of it; a disk that was made read-only after an error.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

_LOOPS = {
    'EpochBasedTrainLoop': ResumableEpochLoop,
    'IterBasedTrainLoop': ResumableIterLoop,
}


class CalmRunner(Runner):
    """A runner whose long reports go to the log file only, and which resumes exactly.

    Environment, config and the order of the hooks are hundreds of lines; on the console
    they bury what a user looks for. Warnings and errors are shown.

    MMEngine's two training loops, the sampler and the data set of a training are
    replaced by those of this package, which do the same and can go on in the middle of
    an epoch, with the random draws that the unbroken run would have made there.

    Three things make the step faster, see ``docs/performance.md``: optimisers update in
    one kernel where PyTorch has it, ``memory_format='channels_last_3d'`` in the config
    stores the kernels in that order, and ``compile`` compiles the networks.
    """

    _train_dataloader: Any
    _load_from: str | None
    _resume: bool

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger and keep blocks of text off its console handler."""
        return calm(super().build_logger(*args, **kwargs))

    def wrap_model(self, model_wrapper_cfg: Any, model: nn.Module) -> nn.Module:
        """Move the model to its device, in the order of memory that the config says."""
        warning = warning_of_this_machine()
        if warning is not None:
            self.logger.warning(warning)
        apply_memory_format(model, self.cfg)
        return super().wrap_model(model_wrapper_cfg, model)

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimiser, for no teacher, with a fused step where there is one."""
        if isinstance(optim_wrapper, dict):
            optim_wrapper = with_fused_step(optim_wrapper, get_device())
        wrapper = super().build_optim_wrapper(optim_wrapper)
        if hasattr(wrapper, 'optimizer'):
            leave_out_teachers(self.model, wrapper.optimizer)
        return wrapper

    def _maybe_compile(self, target: str) -> None:
        """Compile the networks rather than the step around them, if ``compile`` is."""
        if self.cfg.get('compile'):
            names = compile_networks(self.model, self.cfg['compile'])
            self.logger.info(f'compiled at the first steps: {", ".join(names)}')

    def build_train_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the training loop that can be resumed anywhere.

        A loop of another type, and a data loader that is built already, stay.
        """
        loader = self._train_dataloader
        if isinstance(loop, Mapping) and isinstance(loader, Mapping):
            by_epoch = {True: 'EpochBasedTrainLoop', False: 'IterBasedTrainLoop'}
            loop = dict(loop)
            kind = loop.pop('type', None) or by_epoch[loop.pop('by_epoch')]
            loop['type'] = _LOOPS.get(kind, kind)
            if kind in _LOOPS:
                self._train_dataloader = _resumable(loader)
        return super().build_train_loop(loop)

    def train(self) -> nn.Module:
        """Train, and leave the signals of the process as they were found.

        Raises:
            UserError: If there is no room for the logs, or a checkpoint.
        """
        try:
            return super().train()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise UserError(
                f'{error.filename or self.work_dir} cannot be written to '
                f'({error.strerror})',
                'Make room there, and go on with --resume; the last checkpoint is as '
                'it was.',
            ) from error
        finally:
            self.call_hook('release_signals')

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict[str, Any], *args: Any, **kwargs: Any
    ) -> DataLoader:
        """Build a loader whose workers leave signals to their process."""
        if isinstance(dataloader, Mapping) and 'worker_init_fn' not in dataloader:
            dataloader = {**dataloader, 'worker_init_fn': {'type': start_worker}}
            dataloader.pop('disable_subprocess_warning', None)
        return Runner.build_dataloader(dataloader, *args, **kwargs)

    def load_or_resume(self) -> None:
        """Load or resume what the first process found, on all of them.

        A network file system may show an older folder to another machine.
        """
        found: list[Any] = [self._resume, self._load_from]
        if found == [True, None]:
            source = latest_checkpoint(self.work_dir)
            found = [source is not None, source]
        dist.broadcast_object_list(found)
        self._resume, self._load_from = found
        super().load_or_resume()


def _resumable(loader: Mapping[str, Any]) -> dict[str, Any]:
    sampler = {'type': ResumableSampler, 'sampler': loader['sampler']}
    dataset = {'type': SeededDataset, 'dataset': loader['dataset']}
    return {**loader, 'sampler': sampler, 'dataset': dataset}


def calm(logger: MMLogger) -> MMLogger:
    """Keep off the console of a logger what a user can do nothing about."""
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            # A full disk stops the run with one line, not with one for each message.
            handler.handleError = lambda record: None  # type: ignore[method-assign]
        else:
            handler.addFilter(_concerns_the_user)
    return logger


# Said at every epoch, or of a single process: known from the first line.
_OBVIOUS = ('Exp name: ', 'Distributed training is not used')

_NO_WARNING = (
    # MMEngine says this of its own code, at the first checkpoint it saves.
    '"FileClient" will be',
    '"HardDiskBackend" is the',
    # Costs nothing here, see mmkd.engine.loops.
    'Advance dataloader',
)


def _concerns_the_user(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if record.levelno <= logging.INFO:
        return text.count('\n') < 3 and not text.startswith(_OBVIOUS)
    return not text.startswith(_NO_WARNING)
