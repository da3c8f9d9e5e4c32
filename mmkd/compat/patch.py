"""Define a patch, and the import watcher that delays it until its module is imported.

The watcher is the one entry that ``import mmkd`` adds to Python's list of finders, so
that torch and MMAction2 are imported when a program needs them, not before. It finds
nothing by itself: for the modules that patches wait for, it takes what Python's own
finder found, and calls the patches once the module has run.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Patch:
    """A work-around for one fault of an installed upstream release.

    Attributes:
        name: Short name, as listed by :func:`mmkd.compat.applied`.
        when: The condition in words.
        link: Where the fault is reported or shown.
        apply: Works around it.
        needed: Tells, without side effects, whether the fault is present here. Defaults
            to what is always so.
        fixed_in: First release that needs it no more, e.g. ``'setuptools 82'``. None:
            no release without the fault is known.
        waits_for: Module whose first import is awaited before ``needed`` is asked,
            so that ``import mmkd`` does not import torch. Empty: asked at once.
        feature: Whether it gives what upstream never promised (checkpoints that are
            whole, plain and checked), rather than what a release broke.
    """

    name: str
    when: str
    link: str
    apply: Callable[[], None]
    needed: Callable[[], bool] = lambda: True
    fixed_in: str | None = None
    waits_for: str = ''
    feature: bool = False


class _ImportWatcher(MetaPathFinder):
    """Call actions right after a module was imported for the first time."""

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
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenActions(spec.loader, self.actions)
            return spec
        return None


class _ThenActions(Loader):
    """Load a module by its own loader, then call the actions."""

    def __init__(
        self, loader: Loader, actions: dict[str, list[Callable[[], None]]]
    ) -> None:
        self.loader, self.actions = loader, actions

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        for action in self.actions.pop(module.__name__, []):
            action()


_WATCHER = _ImportWatcher()
sys.meta_path.insert(0, _WATCHER)


def after_import(module: str, action: Callable[[], None]) -> None:
    """Call ``action()`` once ``module`` is imported; now, if it already is."""
    if module in sys.modules:
        importlib.import_module(module)  # waits, should another thread be at it
        action()
        return
    _WATCHER.actions.setdefault(module, []).append(action)


def replace_in_mmengine(old: Any, new: Any) -> None:
    """Replace the object ``old`` by ``new`` in every loaded module of MMEngine.

    Modules that said ``from .x import old`` hold a name of their own.
    """
    for module_name, module in list(sys.modules.items()):
        if module_name.split('.')[0] == 'mmengine' and module is not None:
            for name, value in list(vars(module).items()):
                if value is old:
                    setattr(module, name, new)
