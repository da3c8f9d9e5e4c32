"""The page on new methods, followed to the letter."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import torch

from mmkd.config_files import read_config
from mmkd.models.label_classes import fill_in_classes
from mmkd.registry import MODELS, TRANSFORMS
from tests.engine.micro_runs import load, micro_config, run, write_videos
from tests.shared_files import ROOT
from tests.tools.toy_project import run_python

PAGE = (ROOT / 'docs/add_a_method.md').read_text()
BLOCKS = dict(re.findall(r'```python\n# (\S+\.py)\n(.*?)```', PAGE, re.S))
OUTSIDE = ('arrow_of_time.py', 'arrow_r3d.py')
INSIDE = (
    'mmkd/methods/arrow.py',
    'configs/arrow/r3d_ucf101.py',
    'tests/methods/test_arrow.py',
)


def write(names: tuple[str, ...], folder: Path) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(BLOCKS[name])


def test_the_page_shows_these_files_and_counts_them() -> None:
    assert set(BLOCKS) == {*OUTSIDE, *INSIDE}
    lines = sum(len(BLOCKS[name].splitlines()) for name in OUTSIDE)
    assert f'two files, {lines} lines' in PAGE
    for name in ('mmkd/methods/pace.py', 'mmkd/methods/vspp.py'):
        assert name in PAGE and (ROOT / name).is_file()


def test_outside_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_videos(tmp_path)
    write(OUTSIDE, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        read_config('arrow_r3d.py')
        cfg = micro_config(Path('arrow_r3d.py'), tmp_path / 'w')
        fill_in_classes(cfg)
        run(cfg)
    finally:
        MODELS.module_dict.pop('Arrow', None)
        TRANSFORMS.module_dict.pop('ArrowViews', None)
        sys.modules.pop('arrow_of_time', None)
    checkpoint = load(tmp_path / 'w/epoch_2.pth')
    head = checkpoint['state_dict']['tasks.arrow.classifier.weight']
    assert head.shape[0] == 2 and torch.isfinite(head).all()
    assert checkpoint['counts']['iter'] == 6


@pytest.mark.slow
def test_inside_of_the_repository(tmp_path: Path) -> None:
    for name in ('mmkd', 'configs', 'tests', 'tools'):
        skipped = shutil.ignore_patterns('__pycache__', '.mim')
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skipped)
    for name in ('pyproject.toml', 'model-index.yml'):
        shutil.copy(ROOT / name, tmp_path)
    write(INSIDE, tmp_path)
    tested = run_python(
        tmp_path, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', INSIDE[-1]
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert '2 passed' in tested.stdout
    write_videos(tmp_path)
    dataset = 'train_dataloader.dataset.'
    options = [
        f'{dataset}ann_file=data/synthetic/unlabelled.txt',
        f'{dataset}data_prefix.video=data/synthetic/videos',
        f'{dataset}resize.scale=(32,32)',
        f'{dataset}augment.crop.size=16',
        'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_cfg.max_epochs=1',
        'model.backbone.base_channels=2',
        'param_scheduler=[]',
    ]
    command = ['tools/train.py', INSIDE[1], '--work-dir', 'w', '--cfg-options']
    trained = run_python(tmp_path, *command, *options)
    assert trained.returncode == 0, trained.stderr
    weights = load(tmp_path / 'w/epoch_1.pth')['state_dict']
    assert weights['tasks.arrow.classifier.weight'].shape == (2, 16)
