"""Check the slots and dense targets of the data sets of a config."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmkd.engine.config_types import walk
from mmkd.error_lines import building
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS
from mmkd.video_lists import ListFormat, read_list


def check_view_slots(cfg: Config, loaders: Sequence[str]) -> None:
    """Check that every ``ViewDataset`` of the named data loaders has a pipeline."""
    # Here, because it imports the transforms.
    from mmkd.datasets.view_dataset import check_slots

    for path, node in walk(cfg, *loaders):
        if str(node.get('type')).rpartition('.')[2] == 'ViewDataset':
            try:
                check_slots(node)
            except UserError as error:
                where = f'{cfg.filename}, {path}: {error.what}'
                raise UserError(where, error.remedy) from error


def check_evaluation_pipelines(cfg: Config) -> None:
    """Build the transforms of validation and test, which a training needs last.

    Files that they read may come later: what cannot be opened is no mistake here.
    """
    # Here, because they import the transforms.
    from mmengine.dataset import Compose

    from mmkd.datasets.view_steps import pipeline_steps

    scope = cfg.get('default_scope') or 'mmaction'
    with DefaultScope.overwrite_default_scope(scope):
        for path, node in walk(cfg, 'val_dataloader', 'test_dataloader'):
            steps = pipeline_steps(node)
            try:
                with building('its pipeline'):
                    Compose(steps)
            except UserError as error:
                if isinstance(error.__cause__, OSError):
                    continue
                where = f'{cfg.filename}, {path}: {error.what}'
                raise UserError(where, error.remedy) from error


def check_targets(cfg: Config, loaders: Sequence[str]) -> None:
    """Check that every data set of the named data loaders has its dense targets.

    What loads them checks the first video of the list, by a class method
    ``check_before_run(step, video, source)``: its config, the path of the video, and
    what a message says of it. The other videos are met in training.
    """
    # Here, because it imports the transforms.
    from mmkd.datasets.view_steps import pipeline_steps, target_loaders

    for path, node in walk(cfg, *loaders):
        for step in filter(_check_of, pipeline_steps(node)):
            raise UserError(
                f'{path.partition(".")[0]} has {step["type"]} as a step of its own, '
                'so that nothing would let it follow the pixels',
                'Put it as load, and what aligns it as align, into mmkd.WithTargets '
                'with all that comes in between.',
            )
        for step in target_loaders(node):
            if check := _check_of(step):
                check(step, *_first_video(node))


def _check_of(step: Mapping[str, Any]) -> Any:
    name = step.get('type')
    kind = TRANSFORMS.get(name) if isinstance(name, str) else name
    return getattr(kind, 'check_before_run', None)


def _first_video(dataset: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the path of the first video of a list, and how to call it."""
    root = dataset.get('data_root') or ''
    ann_file = Path(root, dataset.get('ann_file') or '')
    if not ann_file.is_file():
        return None, ''
    form = ListFormat(dataset.get('delimiter', ' '), dataset.get('multi_class', False))
    name = read_list(ann_file, form)[0].path
    prefix = (dataset.get('data_prefix') or {}).get('video') or ''
    return os.path.join(root, prefix, name), f'{name}, the first video of {ann_file}'
