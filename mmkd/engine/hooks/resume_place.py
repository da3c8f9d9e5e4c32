"""Where in an epoch a checkpoint was written."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkd.engine.loops import ResumableEpochLoop, sampler_of
from mmkd.registry import HOOKS

KEY = 'resume_place'


@HOOKS.register_module()
class ResumePlaceHook(Hook):
    """Write the place in the epoch into checkpoints, and go on there.

    MMEngine begins an epoch anew that was saved in its middle. Here the batches that
    were seen are left out, without reading them. It needs the loop and the sampler that
    ``tools/train.py`` builds; with others, and where the length of an epoch changed
    since, the epoch begins anew, and a warning says so. Source: ours.
    """

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

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Give the place to the loop."""
        place = checkpoint.get('meta', {}).get(KEY)
        if not runner._resume or not place or not place['batches_done']:
            return
        loop = runner.train_loop
        fits = isinstance(loop, ResumableEpochLoop) and sampler_of(loop.dataloader)
        if fits and len(loop.dataloader) == place['batches']:
            loop.batches_done = place['batches_done']
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
