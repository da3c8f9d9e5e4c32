"""The methods: one file a paper holds its sampler, its tasks and its loss.

Every file of this folder is imported, so that what it registers can be named in a
config as ``mmkd.Name``; a new one needs no line here.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__, f'{__name__}.'):
    importlib.import_module(_module.name)
