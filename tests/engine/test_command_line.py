from pathlib import Path

import pytest
from mmengine.config import Config
from torch import distributed, nn

from mmkd.engine.command_line import (
    leave_process_group,
    locked_work_dir,
    read_config,
    train_main,
)
from mmkd.engine.command_line import test_main as evaluate_main
from mmkd.errors import UserError
from mmkd.locks import locked_folder


def test_split_reaches_the_config(tmp_path):
    path = tmp_path / 'c.py'
    path.write_text("ann_file = 'train1.txt'\nsplit_lists = ['train{split}.txt']")
    assert read_config(str(path), split=3).ann_file == 'train3.txt'
    assert read_config(str(path)).ann_file == 'train1.txt'
    assert Config.fromfile(path).ann_file == 'train1.txt'  # as stock programs do


def test_the_variable_of_the_split_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('MMKD_SPLIT', '2')
    (tmp_path / 'c.py').write_text("model = dict(type='A')")
    with pytest.raises(SystemExit) as caught:
        train_main([str(tmp_path / 'c.py')])
    assert caught.value.code == 2
    assert 'error: MMKD_SPLIT=2 is set' in capsys.readouterr().err


def test_a_missing_config_names_similar_ones(tmp_path):
    (tmp_path / 'r3d_k100.py').touch()
    with pytest.raises(UserError, match=r'Did you mean .*r3d_k100\.py'):
        read_config(str(tmp_path / 'r3d_k10.py'))


def test_a_config_that_cannot_be_read(tmp_path):
    (tmp_path / 'a.py').write_text("_base_ = './none.py'")
    with pytest.raises(UserError, match=r'a\.py builds on a missing file: .*none\.py'):
        read_config(str(tmp_path / 'a.py'))
    (tmp_path / 'b.py').write_text('model = dict(')
    with pytest.raises(UserError, match=r'b\.py: '):
        read_config(str(tmp_path / 'b.py'))


def test_testing_a_config_without_a_test(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'c.py').write_text("model = dict(type='A')")
    with pytest.raises(SystemExit) as caught:
        evaluate_main(['c.py', 'x.pth'])
    assert caught.value.code == 2
    assert 'c.py has no test_dataloader' in capsys.readouterr().err
    assert not (tmp_path / 'work_dirs').exists()


@pytest.mark.parametrize(('local_rank', 'waits'), [('0', []), ('1', [10.0])])
def test_other_processes_let_the_first_one_speak(
    tmp_path, monkeypatch, capsys, local_rank, waits
):
    slept: list[float] = []
    monkeypatch.setattr('mmkd.engine.command_line.time.sleep', slept.append)
    monkeypatch.setenv('LOCAL_RANK', local_rank)
    with pytest.raises(SystemExit):
        train_main([str(tmp_path / 'none.py')])
    assert slept == waits
    assert 'none.py does not exist' in capsys.readouterr().err


def test_a_folder_in_use_is_refused_before_anything_is_built(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr('mmkd.engine.command_line.check_before_run', lambda *_: None)
    monkeypatch.setattr('mmkd.engine.command_line.build_runner', lambda _: 1 / 0)
    (tmp_path / 'c.py').write_text("model = dict(type='A')")
    command = [str(tmp_path / 'c.py'), '--work-dir', str(tmp_path / 'w')]
    with locked_folder(tmp_path / 'w'), pytest.raises(SystemExit) as caught:
        train_main(command)
    assert caught.value.code == 2
    assert 'is in use by another run' in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):  # free again
        train_main(command)
    with locked_folder(tmp_path / 'w'):  # also after an error
        pass


@pytest.mark.parametrize(
    ('launcher', 'name', 'leads'),
    [
        ('none', 'SLURM_PROCID', True),  # of the job around it
        ('slurm', 'SLURM_PROCID', False),
        ('pytorch', 'RANK', False),
        ('mpi', 'OMPI_COMM_WORLD_RANK', False),
    ],
)
def test_the_first_process_holds_the_folder(
    tmp_path, monkeypatch, launcher, name, leads
):
    monkeypatch.setenv(name, '1')
    cfg = Config({'work_dir': str(tmp_path / 'w'), 'launcher': launcher})
    with locked_work_dir(cfg):
        assert (tmp_path / 'w').exists() is leads


def gloo_threads() -> list[str]:
    names = [path.read_text() for path in Path('/proc/self/task').glob('*/comm')]
    return [name.strip() for name in names if 'gloo' in name]


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='needs Linux')
def test_no_thread_of_the_process_group_outlives_the_run():
    store = distributed.HashStore()
    distributed.init_process_group('gloo', store=store, rank=0, world_size=1)
    wrapped = nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
    wrapped.cycle = [wrapped]  # as the runner, which reference counts do not free
    assert gloo_threads()
    del wrapped
    leave_process_group()
    assert gloo_threads() == [] and not distributed.is_initialized()
    leave_process_group()  # without a group: nothing to do
