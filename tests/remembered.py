"""What MMEngine works out again and again, and always the same, is remembered here.

It has yapf format the config of a run for the log, the dumped file, each visualizer
and each checkpoint: four fifths of the time of a run of a few steps. And to find a
config of MMAction2 it reads all metafiles of MMAction2.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from mmengine.config import config, utils
from yapf.yapflib.yapf_api import FormatCode


def remember() -> None:
    """Have MMEngine remember both in this process."""
    config.FormatCode = _format
    if utils._get_cfg_metainfo is _get_cfg_metainfo:
        utils._get_cfg_metainfo = _metainfo


def _format(text: str, style_config: dict[str, Any], **more: Any) -> tuple[str, bool]:
    return _formatted(text, tuple(style_config.items()), **more)


@lru_cache(64)
def _formatted(
    text: str, style: tuple[tuple[str, Any], ...], **more: Any
) -> tuple[str, bool]:
    return FormatCode(text, style_config=dict(style), **more)


_get_cfg_metainfo = utils._get_cfg_metainfo
_known = cache(_get_cfg_metainfo)


def _metainfo(package: str, name: str) -> dict[str, Any]:
    # Nobody changes those of MMAction2 meanwhile.
    look = _known if Path(package).name == 'mmaction' else _get_cfg_metainfo
    return look(package, name)
