"""``tools/train.py`` and ``tools/test.py`` as a user calls them."""

import re
import shutil

import pytest
import torch

from tests.tools.toy_project import make_project, run_tool

CONFIG = 'configs/toy/tiny.py'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A project after one epoch of training, and what the console showed."""
    folder = tmp_path_factory.mktemp('project')
    make_project(folder)
    options = ('train_cfg.max_epochs=1', 'default_hooks.checkpoint.save_last=True')
    command = ('train.py', CONFIG, '--seed', '3', '--cfg-options', *options)
    done = run_tool(folder, *command, fresh=True)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_training_leaves_its_checkpoint_in_the_default_folder(trained):
    folder, _ = trained
    checkpoint = torch.load(
        folder / 'work_dirs' / 'toy' / 'tiny' / 'epoch_1.pth', weights_only=True
    )
    meta = checkpoint['meta']
    assert (meta['epoch'], meta['iter'], meta['seed']) == (1, 2, 3)
    assert meta['input_convention']['name'] == 'bgr255'
    assert any(key.startswith('backbone.') for key in checkpoint['state_dict'])


def test_the_console_is_calm(trained):
    _, done = trained
    first, *rest = done.stdout.splitlines()
    assert first == 'configs/toy/tiny.py -> ./work_dirs/toy/tiny'
    assert 'System environment' not in done.stdout and 'Config:' not in done.stdout
    assert len(rest) < 12
    assert done.stderr == ''
    path = './work_dirs/toy/tiny/epoch_1.pth'.removeprefix('./')
    command = f'python tools/test.py {CONFIG} {path}'
    assert rest[-1].endswith(f'written: {path}; next: {command}')


def test_a_finished_run_and_an_empty_folder_say_so(trained, tmp_path):
    folder, _ = trained
    options = ('--resume', '--cfg-options', 'train_cfg.max_epochs=1')
    done = run_tool(folder, 'train.py', CONFIG, *options)
    assert done.returncode == 0, done.stderr
    assert 'epoch_1.pth is of the last step, 2 of 2: nothing is left' in done.stdout
    done = run_tool(folder, 'train.py', CONFIG, '--work-dir', str(tmp_path), *options)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if '--resume: ' in line)
    assert line.endswith(
        f'there is no checkpoint in {tmp_path}, so this run begins at step 0'
    )


@pytest.mark.slow
def test_resume_then_test(trained):
    folder, _ = trained
    done = run_tool(folder, 'train.py', CONFIG, '--resume')
    assert done.returncode == 0, done.stderr
    assert 'resumed epoch: 1, iter: 2' in done.stdout
    checkpoint = 'work_dirs/toy/tiny/epoch_2.pth'
    assert torch.load(folder / checkpoint, weights_only=True)['meta']['iter'] == 4
    command = ('test.py', CONFIG, checkpoint, '--work-dir', 'w', '--dump', 'w/p.pkl')
    done = run_tool(folder, *command, fresh=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r'acc/top1: (0|1|0?\.\d+|\d\.\d+)', done.stdout)
    assert (folder / 'w' / 'p.pkl').is_file()


@pytest.fixture
def project(tmp_path, trained):
    for name in ('data', 'configs'):
        shutil.copytree(trained[0] / name, tmp_path / name)
    return tmp_path


def failure(folder, *command) -> str:
    """Run a command that must fail cleanly; return its one line on stderr."""
    done = run_tool(folder, *command)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert not (folder / 'work_dirs').exists()
    (line,) = done.stderr.splitlines()
    return line


def test_a_missing_list(project):
    (project / 'data' / 'list.txt').unlink()
    line = failure(project, 'train.py', CONFIG)
    assert line.startswith(
        'error: list of clips data/list.txt (train_dataloader.dataset'
    )
    assert f'looked for it in {project}' in line


def test_a_missing_clip(project):
    (project / 'data' / 'videos' / '2.avi').unlink()
    line = failure(project, 'train.py', CONFIG)
    assert 'data/list.txt, line 3: data/videos/2.avi of 4 clips does not exist' in line


@pytest.mark.slow
def test_a_class_out_of_range_and_a_missing_checkpoint(project):
    (project / 'data' / 'list.txt').write_text('0.avi 0\n1.avi 2\n')
    line = failure(project, 'train.py', CONFIG)
    assert 'data/list.txt, line 2: the class 2 is out of range (0 to 1)' in line
    line = failure(project, 'test.py', CONFIG, 'no.pth')
    assert line.startswith(
        'error: checkpoint no.pth (load_from of configs/toy/tiny.py)'
    )


@pytest.mark.slow
def test_a_misspelt_argument(project):
    option = 'model.data_preprocessor.conventoin=x'
    line = failure(project, 'train.py', CONFIG, '--cfg-options', option)
    assert line == (
        f'error: --cfg-options {option[:-2]}: mmkd.ClipPreprocessor '
        "has no argument 'conventoin'. Did you mean convention?"
    )
