"""``mmkd::`` in ``_base_`` and ``get_config``, as OpenMMLab's own packages have it."""

from typing import Any

from mmengine.config import Config, utils

from mmkd.compat.cure import Cure


def _add_scope() -> None:
    """Enter mmkd into MMEngine's table, with MMAction2's registries.

    What comes from ``package::`` is marked to be built from that package's registries.
    Our configs name MMAction2's modules plainly and ours as ``mmkd.Name``.
    """
    utils.MODULE2PACKAGE['mmkd'] = 'mmkd'
    mark = Config._dict_to_config_dict

    def mark_as_of_mmaction(
        cfg: dict[str, Any], scope: str | None = None, has_scope: bool = True
    ) -> Any:
        return mark(cfg, 'mmaction' if scope == 'mmkd' else scope, has_scope)

    Config._dict_to_config_dict = staticmethod(mark_as_of_mmaction)


CONFIG_SCOPE = Cure(
    name='mmengine: reads the configs of its own list of packages only',
    link='https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/config/utils.py',
    needed=lambda: 'mmkd' not in utils.MODULE2PACKAGE,
    apply=_add_scope,
)
