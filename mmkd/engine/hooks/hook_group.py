"""Group several hooks under one name of ``default_hooks``."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.priority import get_priority

from mmkd.errors import UserError
from mmkd.registry import HOOKS


@HOOKS.register_module()
class HookGroup(Hook):
    """Group hooks of one purpose, each by a name, so that options reach them.

    The runner of mmkd puts the hooks where the group stands, each with its own
    priority; under another runner the group does so itself before the run. A hook that
    ``custom_hooks`` lists replaces the one of its type in a group.

    Args:
        **hooks: Config of each hook, by name; None leaves it out.

    Raises:
        UserError: If a hook has no type.

    Example:
        >>> default_hooks = dict(
        ...     health=dict(
        ...         type='mmkd.HookGroup',
        ...         non_finite=dict(type='mmkd.NonFiniteHook', max_skips=10),
        ...         gate=dict(type='mmkd.GateHook', patience=3000),
        ...     )
        ... )

        On the command line, and to leave one out:

            --cfg-options default_hooks.health.gate.patience=3000
            --cfg-options default_hooks.health.gate=None
    """

    # Under a runner that does not know groups: after all that are registered singly.
    priority = 'LOWEST'

    def __init__(self, **hooks: Mapping[str, Any] | Hook | None) -> None:
        self.hooks = {
            name: _built(name, hook) for name, hook in hooks.items() if hook is not None
        }

    def before_run(self, runner: Runner) -> None:
        """Replace the groups of a runner that left them as they are."""
        # A list of its own: MMEngine is going through the present one.
        runner._hooks = unfolded(runner._hooks)
        for hook in self.hooks.values():
            if hook in runner._hooks:
                hook.before_run(runner)


def _built(name: str, hook: Any) -> Hook:
    if isinstance(hook, Hook):
        return hook
    if not isinstance(hook, Mapping) or 'type' not in hook:
        raise UserError(
            f'HookGroup: {name} is {hook!r}, not a hook',
            "Give dict(type='mmkd.NameOfTheHook'), or None to leave it out.",
        )
    options = dict(hook)
    priority = options.pop('priority', None)
    built = HOOKS.build(options)
    if priority is not None:
        built.priority = priority
    return built


def unfolded(hooks: Sequence[Hook]) -> list[Hook]:
    """Return hooks in the order of their priorities, groups unfolded.

    Those of a group come behind others of their priority, and are left out where a hook
    of their type stands alone.
    """
    single = [hook for hook in hooks if not isinstance(hook, HookGroup)]
    groups = [group.hooks for group in hooks if isinstance(group, HookGroup)]
    known = set(map(type, single))
    grouped = [h for one in groups for h in one.values() if type(h) not in known]
    return sorted([*single, *grouped], key=lambda hook: get_priority(hook.priority))
