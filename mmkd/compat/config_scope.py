"""``mmkd::`` in ``_base_`` and ``get_config``, as OpenMMLab's own packages have it."""

from mmengine.config import utils

from mmkd.compat.cure import Cure

CONFIG_SCOPE = Cure(
    name='mmengine: reads the configs of its own list of packages only',
    link='https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/config/utils.py',
    needed=lambda: 'mmkd' not in utils.MODULE2PACKAGE,
    apply=lambda: utils.MODULE2PACKAGE.setdefault('mmkd', 'mmkd'),
)
