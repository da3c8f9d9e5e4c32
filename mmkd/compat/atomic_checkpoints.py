"""Write checkpoints atomically, and remove the old one only after the new one.

MMEngine 0.10.7 serialises a checkpoint into memory, writes it in place under its final
name, and removes the oldest (or the best so far) before it writes the new one: a crash
then leaves half a file or none. It names the last one by an absolute path.
"""

import functools
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmkd.compat.patch import replace_in_mmengine
from mmkd.files import remove_leftovers
from mmkd.last_checkpoint import latest_checkpoint, point_to
from mmkd.tensor_files import save_tensors

# Entry of the message hub, and how MMEngine's names of best checkpoints begin.
_KEPT, _BEST = 'keep_ckpt_ids', 'best_'


def _atomic(save: Callable[..., None]) -> Callable[..., None]:
    def save_checkpoint(
        checkpoint: dict[str, Any],
        filename: str,
        file_client_args: dict[str, Any] | None = None,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        if '://' in filename or file_client_args or backend_args:
            save(checkpoint, filename, file_client_args, backend_args)
        else:
            save_tensors(checkpoint, Path(filename))

    return save_checkpoint


class _LateRemoval:
    """Wrap a file backend so that removals are collected, not carried out."""

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
    """Save, update the pointer, then remove the surplus checkpoint.

    Replaces ``CheckpointHook._save_checkpoint_with_step``, on every process.
    """
    from mmengine.dist import is_main_process

    surplus = _surplus(self, runner, step) if self.max_keep_ckpts > 0 else None
    name = self.filename_tmpl.format(step)
    self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
    runner.message_hub.update_info('last_ckpt', self.last_ckpt)
    runner.call_hook('before_save_together')  # mmkd.DataloaderStateHook listens
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
    """Record a step as kept; return the name of the checkpoint that it displaces."""
    ids = list(hook.keep_ckpt_ids)
    if ids[-1:] == [step]:
        return None
    ids.append(step)
    # The displaced one is still listed, so that a run that is killed before it was
    # removed does so when resumed.
    runner.message_hub.update_info(_KEPT, ids)
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
            if path not in best:  # an old file of that name was overwritten
                remove(path)

    return save_best


def _before_train(before: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(before)
    def before_train(self: Any, runner: Any) -> None:
        """Look for the best checkpoint here; remove leftovers of a killed save."""
        from mmengine.dist import is_main_process

        _drop_odd_numbers(runner.message_hub.runtime_info)
        before(self, runner)
        known = getattr(self, 'best_ckpt_path_dict', {})
        for key, path in known.items():
            known[key] = _beside(path, self.out_dir)
        if getattr(self, 'best_ckpt_path', None):
            self.best_ckpt_path = _beside(self.best_ckpt_path, self.out_dir)
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_leftovers(Path(self.out_dir), lambda name: name.endswith('.pth'))

    return before_train


def _drop_odd_numbers(information: Any) -> None:
    """Forget which checkpoints to remove, if a checkpoint lists more than numbers.

    MMEngine puts them into names of files: ``'/../x'`` would lead anywhere.
    """
    ids = information.get(_KEPT, [])
    listed = ids if isinstance(ids, list) else ['']
    if not all(type(one) is int and one >= 0 for one in listed):
        information.pop(_KEPT)


def _beside(path: Any, folder: str) -> str | None:
    """Return the best checkpoint of that name in the folder of the run.

    The run may have been moved. And what a checkpoint names here is removed once there
    is a better one: a path of somebody else's choice is not to lead to other files.
    """
    name = os.path.basename(path) if isinstance(path, str) else ''
    return os.path.join(folder, name) if name.startswith(_BEST) else None


class _Reached(Exception):
    """The probe got as far as saving."""


def removes_first() -> bool:
    """Test, on a mock runner, whether the hook removes before it saves."""
    from unittest.mock import MagicMock

    from mmengine.hooks.checkpoint_hook import CheckpointHook

    runner, hook = MagicMock(), CheckpointHook(interval=1, max_keep_ckpts=1)
    runner.save_checkpoint.side_effect = _Reached
    hook.file_backend, hook.out_dir = MagicMock(), ''
    hook.keep_ckpt_ids = deque([1], 1)
    with suppress(_Reached):
        hook._save_checkpoint_with_step(runner, 2, {})
    return bool(hook.file_backend.remove.called)


def save_atomically() -> None:
    """Make MMEngine write checkpoints atomically."""
    from mmengine.runner import checkpoint

    save = checkpoint.save_checkpoint
    replace_in_mmengine(save, _atomic(save))


def remove_after_saving() -> None:
    """Make the checkpoint hook remove after it saved, in the folder of the run only."""
    from mmengine.hooks.checkpoint_hook import CheckpointHook

    CheckpointHook._save_checkpoint_with_step = _save_periodic
    CheckpointHook._save_best_checkpoint = _save_best(
        CheckpointHook._save_best_checkpoint
    )
    CheckpointHook.before_train = _before_train(CheckpointHook.before_train)


def find_complete() -> None:
    """Make MMEngine find the last complete checkpoint."""
    from mmengine.runner import checkpoint

    replace_in_mmengine(
        checkpoint.find_latest_checkpoint, lambda path: latest_checkpoint(path)
    )
