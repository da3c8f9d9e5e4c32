from pathlib import Path

import pytest
from mmengine.config import Config

from mmkd.engine.preflight.work_dir import check_folder_of_split
from mmkd.errors import UserError

TEXT = "train_dataloader = dict(dataset=dict(ann_file='data/train_split{}.txt'))"


def config(folder: Path, split: int | str) -> Config:
    path = folder / 'a.py'
    path.write_text(TEXT.format(split))
    cfg = Config.fromfile(path)
    cfg.work_dir = str(folder / 'run')
    return cfg


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run on split 1."""
    folder = tmp_path / 'run'
    folder.mkdir()
    (folder / 'a.py').write_text(TEXT.format(1))
    (folder / 'epoch_1.pth').touch()
    return folder


def test_another_split_does_not_train_over_it(tmp_path: Path, run: Path) -> None:
    check_folder_of_split(config(tmp_path, 1))
    with pytest.raises(UserError) as caught:
        check_folder_of_split(config(tmp_path, 2))
    message = f'{run} holds a run on data/train_split1.txt, this one trains on data/'
    assert str(caught.value).startswith(message)
    (run / 'epoch_1.pth').unlink()  # nothing to lose
    check_folder_of_split(config(tmp_path, 2))


def test_another_list_is_another_matter(tmp_path: Path, run: Path) -> None:
    check_folder_of_split(config(tmp_path, '_of_mine'))
