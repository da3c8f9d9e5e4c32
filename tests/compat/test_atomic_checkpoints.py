"""A save that fails or is broken off leaves what was there before."""

import errno
import os
import resource
from pathlib import Path

import pytest
import torch
from mmengine.hooks import CheckpointHook
from mmengine.runner import find_latest_checkpoint, save_checkpoint

from mmkd.compat import applied
from mmkd.compat.atomic_checkpoints import _drop_odd_numbers
from mmkd.compat.table import LATE_REMOVAL
from mmkd.errors import UserError
from mmkd.last_checkpoint import is_whole, latest_checkpoint
from tests.engine.toy import toy_runner


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir() if p.suffix == '.pth' or '.pth.' in p.name}


def keep_one(**changes) -> dict:
    hook = {'type': 'CheckpointHook', 'interval': 1, 'max_keep_ckpts': 1}
    return {'default_hooks': {'checkpoint': {**hook, **changes}}}


class Broken(Exception):
    """The power went off here."""


def fail_at(monkeypatch, number: int, name: str) -> list[set[str]]:
    """Break the n-th call of a function of ``os``; note the folder at each call."""
    seen = []
    real = getattr(os, name)

    def function(*args):
        seen.append(args)
        if len(seen) == number:
            raise Broken
        return real(*args)

    monkeypatch.setattr(os, name, function)
    return seen


def test_one_is_kept_and_it_is_the_last(tmp_path):
    toy_runner(tmp_path, epochs=3, **keep_one()).train()
    assert names(tmp_path) == {'epoch_3.pth'}
    assert (tmp_path / 'last_checkpoint').read_text() == 'epoch_3.pth'


def test_the_old_one_goes_when_the_new_one_is_complete(tmp_path, monkeypatch):
    order = []
    real_replace, real_remove = os.replace, os.remove
    monkeypatch.setattr(
        os,
        'replace',
        lambda a, b: (order.append(Path(b).name), real_replace(a, b)),
    )
    monkeypatch.setattr(
        os, 'remove', lambda p: (order.append(f'-{Path(p).name}'), real_remove(p))
    )
    toy_runner(tmp_path, **keep_one()).train()
    pointer = 'last_checkpoint'
    expected = ['epoch_1.pth', pointer, 'epoch_2.pth', pointer, '-epoch_1.pth']
    assert [x for x in order if 'epoch' in x or x == pointer] == expected


@pytest.mark.parametrize('step', ['fsync', 'replace'])
def test_a_save_that_is_broken_off_leaves_the_one_before(tmp_path, monkeypatch, step):
    toy_runner(tmp_path, epochs=1, **keep_one()).train()
    runner = toy_runner(tmp_path, epochs=2, resume=True, **keep_one())
    with monkeypatch.context() as patch:
        fail_at(patch, 1, step)
        with pytest.raises(Broken):
            runner.train()
    assert names(tmp_path) == {'epoch_1.pth'}
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_1.pth')
    assert is_whole(tmp_path / 'epoch_1.pth')


def test_what_a_killed_save_left_is_swept_up_when_resumed(tmp_path):
    toy_runner(tmp_path, epochs=1, **keep_one()).train()
    (tmp_path / '.epoch_2.pth.4711').write_bytes(b'half')
    toy_runner(tmp_path, epochs=2, resume=True, **keep_one()).train()
    assert names(tmp_path) == {'epoch_2.pth'}


def test_killed_between_saving_and_removing(tmp_path, monkeypatch):
    """The surplus one is removed by the run that goes on."""
    runner = toy_runner(tmp_path, epochs=2, **keep_one())
    with monkeypatch.context() as patch:
        fail_at(patch, 1, 'remove')
        with pytest.raises(Broken):
            runner.train()
    assert names(tmp_path) == {'epoch_1.pth', 'epoch_2.pth'}
    toy_runner(tmp_path, epochs=2, resume=True, **keep_one()).train()
    assert names(tmp_path) == {'epoch_2.pth'}


def limited(size: int) -> tuple[int, int]:
    """Let no file grow beyond ``size`` bytes: a full disk, but for the number."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    return old


def test_a_full_disk_is_one_clear_line_and_the_old_one_stays(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    save_checkpoint({'state_dict': {'w': torch.zeros(10)}}, str(path))
    before = path.read_bytes()
    old = limited(100_000)
    try:
        with pytest.raises(UserError, match=os.strerror(errno.EFBIG)) as caught:
            save_checkpoint({'state_dict': {'w': torch.zeros(100_000)}}, str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert 'epoch_1.pth cannot be written' in str(caught.value)
    assert path.read_bytes() == before and names(tmp_path) == {'epoch_1.pth'}


def best(runner, score: float) -> None:
    """Tell the hook of a validation."""
    hook = next(h for h in runner.hooks if isinstance(h, CheckpointHook))
    hook.after_val_epoch(runner, {'acc': score})


def test_a_best_that_is_not_completed_leaves_the_one_before(tmp_path, monkeypatch):
    runner = toy_runner(tmp_path, **keep_one(save_best='acc', max_keep_ckpts=-1))
    runner.train()
    best(runner, 0.5)
    runner.train_loop._epoch = 3
    fail_at(monkeypatch, 1, 'replace')
    with pytest.raises(Broken):
        best(runner, 0.6)
    assert {n for n in names(tmp_path) if 'best' in n} == {'best_acc_epoch_2.pth'}


def test_the_best_is_replaced(tmp_path):
    runner = toy_runner(tmp_path, **keep_one(save_best='acc', max_keep_ckpts=-1))
    runner.train()
    best(runner, 0.5)
    runner.train_loop._epoch = 3
    best(runner, 0.7)
    assert 'best_acc_epoch_2.pth' not in names(tmp_path)
    assert 'best_acc_epoch_3.pth' in names(tmp_path)
    best(runner, 0.8)  # of the same name
    assert 'best_acc_epoch_3.pth' in names(tmp_path)


@pytest.mark.parametrize('ids', [None, 3, 'x', [1, 'x'], [-1], [True], {}])
def test_numbers_of_checkpoints_that_are_none_are_left_aside(ids):
    information = {'keep_ckpt_ids': ids}
    _drop_odd_numbers(information)
    assert information == {}
    information = {'keep_ckpt_ids': [1, 2]}
    _drop_odd_numbers(information)
    assert information == {'keep_ckpt_ids': [1, 2]}
    _drop_odd_numbers({})


@pytest.mark.parametrize('kind', ['file', 'folder', 'above', 'own', 'best'])
def test_no_path_in_a_received_checkpoint_is_removed(tmp_path, kind):
    """MMEngine removes what the message hub calls the best so far, or too many."""
    folder, on = tmp_path / 'theirs', tmp_path / 'on'
    options = keep_one(save_best='acc', max_keep_ckpts=-1)
    toy_runner(folder, epochs=1, **options).train()
    (tmp_path / 'x').mkdir()
    marker = tmp_path / 'x' / 'best_marker.pth'
    marker.write_text('of somebody else')
    (on / 'epoch_').mkdir(parents=True)
    own = on / 'mine.txt'
    own.write_text('mine')
    content = torch.load(folder / 'epoch_1.pth', weights_only=True)
    content['message_hub']['runtime_info'] |= {
        'best_score': 0.1,
        'best_ckpt': {
            'file': str(marker),
            'folder': str(marker.parent),
            'above': f'{on}/..',
            'own': str(own),
            'best': ['best_x'],
        }[kind],
        'keep_ckpt_ids': ['/../../x/best_marker', 7],
    }
    torch.save(content, folder / 'epoch_1.pth')
    options = keep_one(save_best='acc', max_keep_ckpts=1)
    runner = toy_runner(
        on, load_from=str(folder / 'epoch_1.pth'), resume=True, **options
    )
    runner.train()
    best(runner, 0.9)
    assert marker.read_text() == 'of somebody else' and own.read_text() == 'mine'
    assert names(on) >= {'epoch_2.pth', 'best_acc_epoch_2.pth'}


def test_the_best_of_a_run_that_was_moved_is_found(tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    options = keep_one(save_best='acc', max_keep_ckpts=-1)
    runner = toy_runner(old, epochs=1, **options)
    runner.train()
    best(runner, 0.5)
    old.rename(new)
    runner = toy_runner(new, epochs=2, resume=True, **options)
    runner.train()
    best(runner, 0.9)
    assert names(new) == {'epoch_1.pth', 'epoch_2.pth', 'best_acc_epoch_2.pth'}


def test_a_moved_run_resumes(tmp_path):
    toy_runner(tmp_path / 'a', epochs=1).train()
    (tmp_path / 'a').rename(tmp_path / 'b')
    runner = toy_runner(tmp_path / 'b', epochs=2, resume=True)
    runner.train()
    assert runner.iter == 8
    assert latest_checkpoint(str(tmp_path / 'b')) == str(tmp_path / 'b/epoch_2.pth')


def test_the_patch_asks_the_hook(monkeypatch):
    assert LATE_REMOVAL.name in applied()
    assert not LATE_REMOVAL.needed()  # patched
