"""Extend MMEngine's runner: exact resume, a short console log, faster steps."""

import errno
from collections.abc import Callable, Mapping
from typing import Any

from mmengine import dist
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from mmkd.datasets.seeded_dataset import SeededDataset
from mmkd.engine.agreement import check_length, synchronise
from mmkd.engine.config_types import STOCK_HOOKS
from mmkd.engine.console import shorten_console
from mmkd.engine.hooks.hook_group import unfolded
from mmkd.engine.loops import ResumableEpochLoop, ResumableIterLoop
from mmkd.engine.resumable_sampler import ResumableSampler
from mmkd.engine.resumed_state import check_resumable, note_optimizer
from mmkd.engine.speed import apply_memory_format, compile_networks, with_fused_step
from mmkd.engine.trained_model import freeze, leave_out_teachers
from mmkd.engine.workers import start_worker
from mmkd.error_lines import building
from mmkd.errors import UserError
from mmkd.last_checkpoint import checkpoint_folder, latest_checkpoint
from mmkd.torch_releases import warning_of_this_machine

# Of the disk, of a user's share of it; a disk that was made read-only after an error.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

_LOOPS = {
    'EpochBasedTrainLoop': ResumableEpochLoop,
    'IterBasedTrainLoop': ResumableIterLoop,
}
# Rates in the config of a scheduler.
_OWN_RATES = ('eta_max', 'eta_min', 'min_value')
# What messages call the loops.
_NAMES = {'train': 'training', 'val': 'validation', 'test': 'test'}


class ResumableRunner(Runner):
    """Runner that resumes exactly, and writes long reports to the log file only.

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
    _hooks: list[Hook]
    _load_from: str | None
    _resume: bool
    _lr_factors: dict[str, float]
    converted_schedulers: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Schedulers that the config describes in epochs and that go by steps.
        self.converted_schedulers, self._lr_factors = [], {}
        super().__init__(*args, **kwargs)

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger and keep blocks of text off its console handler."""
        return shorten_console(super().build_logger(*args, **kwargs))

    def wrap_model(self, model_wrapper_cfg: Any, model: nn.Module) -> nn.Module:
        """Move the model to its device, in the memory format of the config."""
        warning = warning_of_this_machine()
        if warning is not None:
            self.logger.warning(warning)
        apply_memory_format(model, self.cfg)
        freeze(model)
        return super().wrap_model(model_wrapper_cfg, model)

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimiser, for no teacher, with a fused step where there is one."""
        if isinstance(optim_wrapper, dict):
            optim_wrapper = with_fused_step(optim_wrapper, get_device())
        with building(f'the optim_wrapper of {self.cfg.filename}'):
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
        return self._built('train', super().build_train_loop, loop)

    def build_val_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the validation loop; what keeps it from being built is one line."""
        return self._built('val', super().build_val_loop, loop)

    def build_test_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the test loop; what keeps it from being built is one line."""
        return self._built('test', super().build_test_loop, loop)

    def _built(
        self, part: str, build: Callable[..., BaseLoop], loop: BaseLoop | dict[str, Any]
    ) -> BaseLoop:
        with building(f'the {_NAMES[part]} of {self.cfg.filename}'):
            built = build(loop)
        training = part == 'train'
        check_length(built.dataloader, f'{part}_dataloader', every_process=training)
        return built

    def scale_lr(
        self, optim_wrapper: Any, auto_scale_lr: dict[str, Any] | None = None
    ) -> None:
        """Scale the learning rates, in place, by the clips behind an update.

        MMEngine's counts processes and their batches. Here also the steps count whose
        gradients are added up (``accumulative_counts``). Source: the linear scaling
        rule, https://arxiv.org/abs/1706.02677.

        Args:
            optim_wrapper: What was built from the config.
            auto_scale_lr: ``enable`` and ``base_batch_size``. Defaults to None: off.

        Raises:
            UserError: If the loader has no batch size, or there is none to compare to.
        """
        if not auto_scale_lr or not auto_scale_lr.get('enable'):
            return
        base = auto_scale_lr.get('base_batch_size')
        if not base:
            raise UserError(
                f'auto_scale_lr has the base_batch_size {base}',
                'Give the batch that the learning rate of the config is meant for.',
            )
        loader = self._train_dataloader
        built = not isinstance(loader, Mapping)
        size = loader.batch_size if built else loader.get('batch_size')
        if not size:
            raise UserError(
                '--auto-scale-lr: train_dataloader has no batch_size, only a '
                'batch_sampler of its own',
                'Scale the learning rate by hand.',
            )
        several = isinstance(optim_wrapper, OptimWrapperDict)
        for name, one in optim_wrapper.items() if several else [('', optim_wrapper)]:
            clips = int(size) * self.world_size * one._accumulative_counts
            factor = self._lr_factors[name] = clips / base
            for group in one.param_groups:
                group['lr'] *= factor
            self.logger.info(
                f'learning rate{f" of {name}" if name else ""} times {factor:g}: '
                f'{clips} clips behind an update, meant for {base}'
            )

    def _build_param_scheduler(self, scheduler: Any, optim_wrapper: Any) -> Any:
        """Build schedulers, and note which were told in epochs but go by steps.

        Rates that a scheduler of rates names itself are scaled like the others:
        ``eta_max``, ``eta_min`` and ``min_value``.
        """
        several = isinstance(scheduler, (list, tuple))
        configs = list(scheduler) if several else [scheduler]
        wrappers, name = self.optim_wrapper, ''
        if isinstance(wrappers, OptimWrapperDict):
            name = next(k for k, one in wrappers.items() if one is optim_wrapper)
        factor = self._lr_factors.get(name, 1)
        for index, one in enumerate(configs):
            if isinstance(one, Mapping) and _is_of_rates(one) and factor != 1:
                own = {k: _scaled(one[k], factor) for k in _OWN_RATES if one.get(k)}
                configs[index] = {**one, **own}
        built = super()._build_param_scheduler(configs, optim_wrapper)
        self.converted_schedulers += [
            new
            for one, new in zip(configs, built, strict=True)
            if isinstance(one, Mapping) and one.get('convert_to_iter_based')
        ]
        return built

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the schedulers; what keeps them from being built is said in a line."""
        with building(f'the param_scheduler of {self.cfg.filename}'):
            return super().build_param_scheduler(scheduler)

    def register_hooks(
        self, default_hooks: Any = None, custom_hooks: Any = None
    ) -> None:
        """Register the hooks, those of groups one by one; None takes one out."""
        # MMEngine takes out no others than its own.
        kept = {
            name: hook
            for name, hook in (default_hooks or {}).items()
            if hook is not None or name in STOCK_HOOKS
        }
        super().register_hooks(kept, custom_hooks)
        self._hooks = unfolded(self.hooks)

    def train(self) -> nn.Module:
        """Train, and restore the signal handlers of the process.

        Raises:
            UserError: If there is no room for logs or a checkpoint; if a loader's
                worker was ended.
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
        except RuntimeError as error:
            if not str(error).startswith('DataLoader worker'):
                raise
            raise UserError(
                f'a worker of a data loader was ended: {error}',
                'Memory, /dev/shm or open files (ulimit -n) may be out: give fewer '
                'num_workers or a smaller batch, and go on with --resume.',
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

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call the hooks; check a checkpoint to resume before any of them."""
        if fn_name == 'after_load_checkpoint' and self._resume:
            source = f'checkpoint {self._load_from or ""}'.rstrip()
            check_resumable(self, kwargs['checkpoint'], source)
        if fn_name == 'before_save_checkpoint':
            note_optimizer(self, kwargs['checkpoint'])
        super().call_hook(fn_name, **kwargs)

    def load_or_resume(self) -> None:
        """Load or resume what the first process found, on all of them.

        A network file system may show an older folder to another machine. Before, all
        processes get the weights of the first one: hooks may have made some since the
        model was wrapped.
        """
        found: list[Any] = [self._resume, self._load_from]
        if found == [True, None]:
            source = latest_checkpoint(self.work_dir, checkpoint_folder(self.cfg))
            found = [source is not None, source]
        dist.broadcast_object_list(found)
        synchronise(self.model)
        self._resume, self._load_from = found
        super().load_or_resume()
        if self._resume and self.iter >= self.max_iters:
            self.logger.info(
                f'{self._load_from} is of the last step, {self.iter} of '
                f'{self.max_iters}: nothing is left to train'
            )


def _resumable(loader: Mapping[str, Any]) -> dict[str, Any]:
    sampler = {'type': ResumableSampler, 'sampler': loader['sampler']}
    dataset = {'type': SeededDataset, 'dataset': loader['dataset']}
    return {**loader, 'sampler': sampler, 'dataset': dataset}


def _scaled(rate: Any, factor: float) -> Any:
    """Scale a rate, or each of a list for the groups of an optimiser."""
    if isinstance(rate, (list, tuple)):
        return [one * factor for one in rate]
    return rate * factor


def _is_of_rates(scheduler: Mapping[str, Any]) -> bool:
    """Tell whether a scheduler changes learning rates, not the momentum, say."""
    kind = scheduler['type']
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.endswith('LR')
