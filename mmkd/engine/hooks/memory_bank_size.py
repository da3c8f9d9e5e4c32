"""Size memory banks: one feature for each video of the training list."""

from mmengine import dist
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkd.engine.sample_lists import number_of_videos
from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank
from mmkd.registry import HOOKS


@HOOKS.register_module()
class MemoryBankSizeHook(Hook):
    """Resize the memory banks to the training list, before weights are loaded.

    A bank that was given a size keeps it and must be large enough. MMEngine loads or
    resumes after ``before_run``: a resumed bank is restored exactly, and one of another
    list (``load_from``) is reported and left out.

    Example:
        >>> contrast = dict(type='mmkd.MemoryContrast', num_negatives=1024)
        >>> model = dict(tasks=dict(contrast=contrast))
        >>> custom_hooks = [dict(type='mmkd.MemoryBankSizeHook')]
    """

    def before_run(self, runner: Runner) -> None:
        """Count the videos and resize the banks."""
        banks = [m for m in runner.model.modules() if isinstance(m, MemoryBank)]
        if not banks:
            return
        videos = number_of_videos(runner.train_dataloader.dataset)
        for bank in banks:
            if not bank.size:
                bank.resize(videos)
                # Behind the synchronisation of the model: seeds may differ.
                dist.broadcast(bank.features)
            elif bank.size < videos:
                raise UserError(
                    f'a memory bank has {bank.size} features, the training list '
                    f'{videos} videos',
                    'Leave its size out, or enlarge it.',
                )
        runner.logger.info(f'{len(banks)} memory banks for {videos} videos')
