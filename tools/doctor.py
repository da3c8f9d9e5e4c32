"""Examine this installation.

Works where mmkd cannot be imported: see :mod:`mmkd.commands.doctor`.
"""

import sys

# A json.py in PYTHONPATH must not stop this program: Python's own modules come first.
_own = str(sys.modules['os'].__file__).rpartition('os.')[0].rstrip('/\\')
sys.path.sort(key=lambda path: not path.startswith(_own) or 'packages' in path)

from pathlib import Path  # noqa: E402
from types import ModuleType  # noqa: E402

if sys.version_info < (3, 11):  # noqa: UP036  (whoever has it needs to be told)
    print('fail  Python  %s is older than 3.11' % sys.version.split()[0])  # noqa: UP031
    print('              -> python3.11 -m venv .venv && . .venv/bin/activate')
    sys.exit(1)


def load_without_importing_mmkd() -> None:
    """Let ``mmkd.commands.doctor`` be imported without running ``mmkd/__init__.py``."""
    here = Path(__file__).absolute()
    # In a checkout mmkd/ lies beside tools/, installed it lies above .mim/tools/.
    folders = (here.parents[1] / 'mmkd', here.parents[2])
    bare = ModuleType('mmkd')
    bare.__path__ = [
        str(folder) for folder in folders if (folder / 'commands').is_dir()
    ]
    sys.modules['mmkd'] = bare


if __name__ == '__main__':
    load_without_importing_mmkd()
    from mmkd.commands.doctor.command_line import main

    sys.exit(main())
