"""The input convention travels with the weights."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmkd.models.input_convention import InputConvention
from mmkd.registry import HOOKS

KEY = 'input_convention'


@HOOKS.register_module()
class InputConventionHook(Hook):
    """Write the input convention into checkpoints and compare it when they are loaded.

    Weights trained on BGR pixels in 0..255 load without a word into a model that feeds
    normalised RGB. The convention is that of ``model.data_preprocessor.convention``; a
    preprocessor without one is passed over. Source: ours.

    Example:
        >>> preprocessor = dict(type='mmkd.ClipPreprocessor', convention='bgr255')
        >>> model = dict(data_preprocessor=preprocessor)
        >>> custom_hooks = [dict(type='mmkd.InputConventionHook')]
    """

    priority = 'LOW'

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['input_convention']``, a plain dict."""
        convention = _convention_of(runner)
        if convention is not None:
            checkpoint['meta'][KEY] = convention

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Warn, in one line, if the weights were trained with other pixels."""
        mine = _convention_of(runner)
        theirs = checkpoint.get('meta', {}).get(KEY)
        if runner._resume or mine is None or theirs in (None, mine):
            return
        runner.logger.warning(
            f'the loaded weights were trained with input convention {_say(theirs)}, '
            f'this model feeds them {_say(mine)}'
        )


def _convention_of(runner: Runner) -> dict[str, Any] | None:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    convention = getattr(getattr(model, 'data_preprocessor', None), 'convention', None)
    return convention.as_dict() if isinstance(convention, InputConvention) else None


def _say(convention: dict[str, Any]) -> str:
    values = ', '.join(f'{k} {v}' for k, v in convention.items() if k != 'name')
    return f'{convention.get("name")} ({values})'
