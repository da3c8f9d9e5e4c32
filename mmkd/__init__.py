"""mmkd: self-supervised video pre-training and knowledge distillation on MMAction2.

Importing the package repairs what is broken in the installed upstream releases
(:mod:`mmkd.compat`) and announces the registries; models are imported on first use.
"""

import mmkd.ctrl_c  # noqa: F401  (first: it watches the imports of a program)
from mmkd import compat, registry
from mmkd.compat.checkpoints import register_kinds
from mmkd.compat.patch import after_import
from mmkd.version import __version__

compat.apply()
after_import('mmengine.runner.checkpoint', register_kinds)

__all__ = ['__version__', 'compat', 'registry']
