"""An experiment on another data set, or on one in another folder."""

from pathlib import Path

import pytest

from mmkd.commands.reproduce.experiment import moved, read_experiment
from mmkd.errors import UserError
from tests.shared_files import ROOT

LAPTOP = ROOT / 'configs/reproduce/laptop'


def variant(tmp_path: Path, data: str, base: str = 'kd_pcl') -> Path:
    """Write a variant where a user would, in a copy of the folders."""
    folder = tmp_path / 'configs' / 'reproduce' / 'mine'
    folder.mkdir(parents=True)
    for name in ('tiny', '_base_', 'reproduce/laptop'):
        (tmp_path / 'configs' / name).symlink_to(ROOT / 'configs' / name)
    path = folder / 'try_ut.py'
    path.write_text(f"_base_ = '{LAPTOP}/{base}.py'\ndata = '{data}'\n")
    return path


def test_configs_and_lists_of_the_other_set(tmp_path: Path) -> None:
    mine = read_experiment(variant(tmp_path, 'ut_interaction'))
    base = read_experiment(LAPTOP / 'kd_pcl.py')
    assert mine.stages.keys() == base.stages.keys()
    assert mine.stages['teacher']['config'].endswith('pcl_vcp_r3d_ut_interaction.py')
    assert mine.stages['teacher']['options'] == base.stages['teacher']['options']
    assert mine.videos == {
        'prefix': 'data/ut_interaction/videos',
        'lists': [f'data/ut_interaction/{x}.txt' for x in ('pretrain', 'set1', 'set2')],
        'short_side': 64,
    }
    held_out = {**(base.held_out or {}), 'ann_file': 'data/ut_interaction/set2.txt'}
    assert mine.held_out == held_out


def test_an_unknown_set_and_a_set_without_configs(tmp_path: Path) -> None:
    path = variant(tmp_path, 'ucf1')
    with pytest.raises(UserError, match=r"data = 'ucf1': .*ucf1\.py is not there"):
        read_experiment(path)
    path.write_text(path.read_text().replace('ucf1', 'ucf101'))
    with pytest.raises(UserError, match=r'r3d_ucf101.py is not there. It is needed'):
        read_experiment(path)


def test_folders_are_replaced_as_a_whole() -> None:
    folders = {'data/synthetic': 'big'}
    value = {'a': ['data/synthetic/x.txt', ('data/synthetic',)], 'b': 3}
    assert moved(value, folders) == {'a': ['big/x.txt', ('big',)], 'b': 3}
    for other in ('data/synthetic_2/x', 'my/data/synthetic/x', None):
        assert moved(other, folders) == other
