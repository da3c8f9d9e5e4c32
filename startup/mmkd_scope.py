"""Make ``_base_ = 'mmkd::...'`` work in programs that know nothing of mmkd.

MMEngine refuses the configs of packages that its own table does not name, and it reads
``_base_`` before a config can import anything. So an installed mmkd has a line that
Python runs at its start (``mmkd_scope.pth``). It imports this module, which waits until
MMEngine reads a path that begins with ``mmkd::``, and then imports mmkd. It imports
nothing before that, since every start of Python pays for it.
"""

import sys

_READER = 'mmengine.config.utils'


class _ScopeFinder:
    """Watches for the module of MMEngine that takes such paths apart."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> object:
        if fullname != _READER:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: object) -> None:
            run(module)
            _watch(module)

        spec.loader.exec_module = exec_module
        return spec


def _watch(module: object) -> None:
    take_apart = getattr(module, '_get_package_and_cfg_path', None)
    if take_apart is None:
        return

    def _get_package_and_cfg_path(cfg_path: str) -> tuple[str, str]:
        if cfg_path.startswith('mmkd::'):
            import mmkd  # noqa: F401  (enters itself into the table, and more)
        return take_apart(cfg_path)

    module._get_package_and_cfg_path = _get_package_and_cfg_path


sys.meta_path.insert(0, _ScopeFinder())
