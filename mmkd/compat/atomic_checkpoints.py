"""Checkpoints written whole or not at all, and never with nothing else to go by.

MMEngine 0.10.7 serialises a checkpoint into memory, writes it in place under its final
name, and removes the oldest (or the best so far) before it writes the new one: a crash
then leaves half a file or none. It names the last one by an absolute path.
"""

import functools
import os
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmkd.compat.cure import Cure, replace_in_mmengine
from mmkd.files import replacing
from mmkd.last_checkpoint import latest_checkpoint, point_to

# The temporary names of mmkd.files.replacing.
_UNFINISHED = re.compile(r'\..+\.pth\.\d+')


def _whole_or_not_at_all(save: Callable[..., None]) -> Callable[..., None]:
    def save_checkpoint(
        checkpoint: dict[str, Any],
        filename: str,
        file_client_args: dict[str, Any] | None = None,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        if '://' in filename or file_client_args or backend_args:
            save(checkpoint, filename, file_client_args, backend_args)
        else:
            _write(checkpoint, Path(filename))

    return save_checkpoint


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    import torch  # here, so that ``import mmkd`` does not import torch

    with replacing(path) as temporary, temporary.open('wb') as file:
        try:
            torch.save(checkpoint, file)
        except RuntimeError as error:
            # torch closes its archive after a failed write, and complains of that.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


class _LateRemoval:
    """A file backend that removes nothing until it is told to."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.late: list[tuple[Callable[[str], None], str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self.late.append((self.backend.remove, path))

    def rmtree(self, path: str) -> None:
        self.late.append((self.backend.rmtree, path))


def _save_periodic(self: Any, runner: Any, step: int, meta: dict[str, Any]) -> None:
    """Save, point to it, then remove what is too much.

    In place of ``CheckpointHook._save_checkpoint_with_step``, on every process.
    """
    from mmengine.dist import is_main_process

    surplus = _surplus(self, runner, step) if self.max_keep_ckpts > 0 else None
    name = self.filename_tmpl.format(step)
    self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
    runner.message_hub.update_info('last_ckpt', self.last_ckpt)
    runner.call_hook('before_save_together')  # mmkd.ResumePlaceHook listens
    runner.save_checkpoint(
        self.out_dir,
        name,
        self.file_client_args,
        save_optimizer=self.save_optimizer,
        save_param_scheduler=self.save_param_scheduler,
        meta=meta,
        by_epoch=self.by_epoch,
        backend_args=self.backend_args,
        **self.args,
    )
    if is_main_process():
        point_to(runner.work_dir, self.last_ckpt)
        if surplus is not None:
            _remove(self.file_backend, self.out_dir, surplus)


def _surplus(hook: Any, runner: Any, step: int) -> str | None:
    """Enter a step among those that are kept; return the name of what it displaces."""
    ids = list(hook.keep_ckpt_ids)
    if ids[-1:] == [step]:
        return None
    ids.append(step)
    # The displaced one is still listed, so that a run that is killed before it was
    # removed does so when resumed.
    runner.message_hub.update_info('keep_ckpt_ids', ids)
    hook.keep_ckpt_ids = deque(ids, hook.max_keep_ckpts)
    if len(ids) <= hook.max_keep_ckpts:
        return None
    return hook.filename_tmpl.format(ids[0])


def _remove(backend: Any, folder: str, name: str) -> None:
    path = backend.join_path(folder, name)
    if backend.isfile(path):
        backend.remove(path)
    elif backend.isdir(path):  # DeepSpeed's
        backend.rmtree(path)


def _save_best(save: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(save)
    def save_best(self: Any, *args: Any, **kwargs: Any) -> None:
        backend = _LateRemoval(self.file_backend)
        self.file_backend = backend
        try:
            save(self, *args, **kwargs)
        finally:
            self.file_backend = backend.backend
        best = [getattr(self, 'best_ckpt_path', None)]
        best += getattr(self, 'best_ckpt_path_dict', {}).values()
        for remove, path in backend.late:
            if path not in best:  # of that name before, written anew
                remove(path)

    return save_best


def _before_train(before: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(before)
    def before_train(self: Any, runner: Any) -> None:
        """Look for the best checkpoint here; sweep up what a killed save left."""
        from mmengine.dist import is_main_process

        before(self, runner)
        known = getattr(self, 'best_ckpt_path_dict', {})
        for key, path in known.items():
            known[key] = _beside(path, self.out_dir)
        if getattr(self, 'best_ckpt_path', None):
            self.best_ckpt_path = _beside(self.best_ckpt_path, self.out_dir)
        if is_main_process() and Path(self.out_dir).is_dir():
            for path in Path(self.out_dir).iterdir():
                if _UNFINISHED.fullmatch(path.name):
                    path.unlink(missing_ok=True)

    return before_train


def _beside(path: str | None, folder: str) -> str | None:
    """Return the file of that name in the folder, should the run have been moved."""
    if path is None or '://' in path or os.path.exists(path):
        return path
    return os.path.join(folder, os.path.basename(path))


def _find_latest(path: str) -> str | None:
    return latest_checkpoint(path)


class _Reached(Exception):
    """The probe got as far as saving."""


def _removes_first() -> bool:
    """Ask the hook, with nothing behind it, whether it removes before it saves."""
    from mmengine.hooks.checkpoint_hook import CheckpointHook

    class Backend:
        removed = False

        def remove(self, path: str) -> None:
            self.removed = True

        def isfile(self, path: str) -> bool:
            return True

        def join_path(self, *parts: str) -> str:
            return '/'.join(parts)

    class Runner:
        work_dir = ''

        class message_hub:
            @staticmethod
            def update_info(*args: Any) -> None:
                pass

        def call_hook(self, *args: Any, **kwargs: Any) -> None:
            pass

        def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
            raise _Reached

    hook = CheckpointHook(interval=1, max_keep_ckpts=1)
    hook.file_backend, hook.out_dir = Backend(), ''
    hook.keep_ckpt_ids = deque([1], 1)
    with suppress(_Reached):
        hook._save_checkpoint_with_step(Runner(), 2, {})
    return bool(hook.file_backend.removed)


def _patch_save() -> None:
    from mmengine.runner import checkpoint

    save = checkpoint.save_checkpoint
    replace_in_mmengine(save, _whole_or_not_at_all(save))


def _patch_hook() -> None:
    from mmengine.hooks.checkpoint_hook import CheckpointHook

    CheckpointHook._save_checkpoint_with_step = _save_periodic
    CheckpointHook._save_best_checkpoint = _save_best(
        CheckpointHook._save_best_checkpoint
    )
    CheckpointHook.before_train = _before_train(CheckpointHook.before_train)


def _patch_find() -> None:
    from mmengine.runner import checkpoint

    replace_in_mmengine(checkpoint.find_latest_checkpoint, _find_latest)


_SOURCE = 'https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/'

WHOLE_CHECKPOINTS = Cure(
    name='mmengine: checkpoints are written in place',
    link=f'{_SOURCE}runner/checkpoint.py',
    # No release of MMEngine writes to another name first.
    needed=lambda: True,
    apply=_patch_save,
    waits_for='mmengine.runner.checkpoint',
)

LATE_REMOVAL = Cure(
    name='mmengine: an old checkpoint is removed before the new one is complete',
    link=f'{_SOURCE}hooks/checkpoint_hook.py',
    needed=_removes_first,
    apply=_patch_hook,
    waits_for='mmengine.hooks.checkpoint_hook',
)

RELATIVE_POINTER = Cure(
    name='mmengine: last_checkpoint is absolute and may name a damaged file',
    link=f'{_SOURCE}runner/checkpoint.py',
    needed=lambda: True,
    apply=_patch_find,
    waits_for='mmengine.runner.checkpoint',
)
