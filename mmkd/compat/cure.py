"""What a cure is, and how one waits until the ailing module is imported."""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Cure:
    """A work-around for one fault of an installed upstream release.

    Attributes:
        name: Short name, as listed by :func:`mmkd.compat.applied`.
        link: Where the fault is reported or shown.
        needed: Tells, without side effects, whether the fault is present here.
        apply: Works around it.
        waits_for: Module whose first import is awaited before ``needed`` is asked,
            so that ``import mmkd`` does not import torch. Empty: asked at once.
    """

    name: str
    link: str
    needed: Callable[[], bool]
    apply: Callable[[], None]
    waits_for: str = ''


class _ImportWatcher(MetaPathFinder):
    """Calls actions right after a module was imported for the first time."""

    def __init__(self) -> None:
        self.actions: dict[str, list[Callable[[], None]]] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in self.actions:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            for action in self.actions.pop(fullname, []):
                action()

        # The loader belongs to this one spec, so nothing else sees the change.
        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_WATCHER = _ImportWatcher()


def after_import(module: str, action: Callable[[], None]) -> None:
    """Call ``action()`` once ``module`` is imported; now, if it already is."""
    if module in sys.modules:
        importlib.import_module(module)  # waits, should another thread be at it
        action()
        return
    if _WATCHER not in sys.meta_path:
        sys.meta_path.insert(0, _WATCHER)
    _WATCHER.actions.setdefault(module, []).append(action)


def replace_in_mmengine(old: Any, new: Any) -> None:
    """Put ``new`` wherever a loaded module of MMEngine names the object ``old``.

    Modules that said ``from .x import old`` hold a name of their own.
    """
    for module_name, module in list(sys.modules.items()):
        if module_name.split('.')[0] == 'mmengine' and module is not None:
            for name, value in list(vars(module).items()):
                if value is old:
                    setattr(module, name, new)
