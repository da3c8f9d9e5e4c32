"""Where in an epoch a checkpoint was written."""

from typing import Any

from mmengine import dist
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.loops import ResumableEpochLoop, sampler_of
from mmkd.engine.unwrap import unwrap
from mmkd.registry import HOOKS

KEY = 'resume_place'
# What BatchNorm measured on the other processes.
STATISTICS = 'statistics_of_ranks'


@HOOKS.register_module()
class ResumePlaceHook(Hook):
    """Write the place in the epoch into checkpoints, and go on there.

    MMEngine begins an epoch anew that was saved in its middle. Here the batches that
    were seen are left out, without reading them. It needs the loop and the sampler that
    ``tools/train.py`` builds; with others, and where the length of an epoch changed
    since, the epoch begins anew, and a warning says so.

    Several processes normalise with batches, and so have statistics, of their own until
    MMEngine averages these at the end of an epoch: in its middle all are written.
    Source: ours.

    Example:
        >>> custom_hooks = [dict(type='mmkd.ResumePlaceHook')]
        >>> default_hooks = dict(checkpoint=dict(by_epoch=False, interval=500))
    """

    def __init__(self) -> None:
        self._statistics: list[dict[str, Tensor]] = []

    def before_save_together(self, runner: Runner) -> None:
        """Gather what only other processes know; to be called on all of them."""
        loop = runner.train_loop
        inside = isinstance(loop, ResumableEpochLoop) and loop.batches_done > 0
        if inside and dist.get_world_size() > 1:
            mine = batch_statistics(unwrap(runner.model))
            self._statistics = dist.all_gather_object(mine)

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['resume_place']``."""
        loop = runner.train_loop
        if isinstance(loop, ResumableEpochLoop):
            inside = checkpoint['meta'].get('epoch') == loop._epoch
            checkpoint['meta'][KEY] = {
                'batches_done': loop.batches_done if inside else 0,
                'batches': len(loop.dataloader),
            }
            if inside and self._statistics:
                checkpoint['meta'][KEY][STATISTICS] = self._statistics
        self._statistics = []

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Give the place to the loop."""
        place = checkpoint.get('meta', {}).get(KEY)
        if not runner._resume or not place or not place['batches_done']:
            return
        loop = runner.train_loop
        fits = isinstance(loop, ResumableEpochLoop) and sampler_of(loop.dataloader)
        if fits and len(loop.dataloader) == place['batches']:
            loop.batches_done = place['batches_done']
            statistics = place.get(STATISTICS, [])
            if len(statistics) == dist.get_world_size():
                own, state = statistics[dist.get_rank()], checkpoint['state_dict']
                state.update({name: own[name] for name in own if name in state})
            return
        # Counts of steps and of epochs are to agree again.
        checkpoint['meta']['iter'] -= place['batches_done']
        runner.logger.warning(
            f'the run to resume stopped after {place["batches_done"]} of '
            f'{place["batches"]} batches of an epoch; that epoch begins anew, because '
            + (
                f'an epoch now has {len(loop.dataloader)}'
                if fits
                else 'its sampler cannot begin in the middle'
            )
        )


def batch_statistics(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of the running statistics of all BatchNorms, by name.

    Args:
        model: The model.
    """
    return {
        f'{path}.{name}': value.detach().cpu().clone()
        for path, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        for name, value in module.named_buffers(recurse=False)
    }
