"""Define the registries of scope ``mmkd``, children of MMEngine's root registries.

A config names things of this package as ``type='mmkd.Name'``. Modules are imported
when a registry is first searched, so that ``import mmkd`` stays cheap.
"""

from mmengine import registry as root
from mmengine.registry import Registry

DATASETS = Registry(
    'dataset', parent=root.DATASETS, scope='mmkd', locations=['mmkd.datasets']
)
TRANSFORMS = Registry(
    'transform',
    parent=root.TRANSFORMS,
    scope='mmkd',
    locations=['mmkd.datasets.transforms', 'mmkd.methods'],
)
MODELS = Registry(
    'model',
    parent=root.MODELS,
    scope='mmkd',
    locations=['mmkd.models', 'mmkd.methods', 'mmkd.distill'],
)
HOOKS = Registry(
    'hook', parent=root.HOOKS, scope='mmkd', locations=['mmkd.engine.hooks']
)
METRICS = Registry(
    'metric', parent=root.METRICS, scope='mmkd', locations=['mmkd.evaluation']
)
OPTIM_WRAPPERS = Registry(
    'optim_wrapper',
    parent=root.OPTIM_WRAPPERS,
    scope='mmkd',
    locations=['mmkd.engine.optim_wrapper'],
)
VISBACKENDS = Registry(
    'vis_backend',
    parent=root.VISBACKENDS,
    scope='mmkd',
    locations=['mmkd.engine.trackers'],
)
