"""Say what a checkpoint gave to the model, and refuse one that does not fit."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkd.engine.load_weights import load_weights
from mmkd.engine.unwrap import unwrap
from mmkd.registry import HOOKS


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Load the weights of a checkpoint and report, in one line, what was used.

    MMEngine skips whatever does not match and lists it key by key. Here the backbone
    must fit, and when resuming (or with ``strict``) everything must. Source: ours.

    The hook is the last one to see the checkpoint, after those that rewrite it, and
    hands the model's own state to MMEngine, which then has nothing left to complain of.

    Args:
        strict: Whether every key of the model must be in the checkpoint even when not
            resuming; ``tools/test.py`` sets it. Defaults to False.

    Example:
        >>> load_from = 'work_dirs/pace/c3d_ucf101/epoch_18.pth'
        >>> custom_hooks = [dict(type='mmkd.LoadReportHook', strict=True)]
    """

    priority = 'LOWEST'

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Load ``checkpoint['state_dict']`` into the model.

        Raises:
            UserError: If nothing fits, the backbone does not, or a key is missing that
                must be there.
        """
        model = unwrap(runner.model)
        report = load_weights(model, checkpoint.get('state_dict', checkpoint))
        source = (
            f'checkpoint {runner._load_from}' if runner._load_from else 'checkpoint'
        )
        report.raise_if_useless(source)
        if runner._resume or self.strict:
            report.raise_if_incomplete(source)
        runner.logger.info(f'{source}: {report}')
        checkpoint['state_dict'] = model.state_dict()
