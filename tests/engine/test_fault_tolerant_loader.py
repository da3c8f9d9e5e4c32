"""Runs go on past videos that a loader worker does not survive."""

import multiprocessing
import os
import time

import pytest
from mmengine.registry import FUNCTIONS
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from mmkd.engine.fault_tolerant_loader import _lost
from mmkd.engine.hooks.bad_videos import read_bad_videos
from mmkd.engine.workers import WorkerWatch
from mmkd.errors import UserError
from tests.deadly import DEEDS
from tests.engine.micro_runs import differences, load, micro_config, run, write_videos
from tests.shared_files import ROOT

CONFIG = ROOT / 'configs/tiny/auxskd_r3d_synthetic.py'
VIDEOS = 'data/synthetic/videos'


@pytest.fixture
def project(tmp_path, monkeypatch):
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def quickly_noticed(monkeypatch):
    """torch looks for lost workers when no batch has come for five seconds."""
    look = _MultiProcessingDataLoaderIter._try_get_data
    monkeypatch.setattr(look, '__defaults__', (0.2,))


def config(work_dir, workers, deeds, by_epoch=True, persist=False, **options):
    """A run with decoders that do what is said at some of the six videos."""
    cfg = micro_config(CONFIG, work_dir, workers)
    cfg.train_dataloader.persistent_workers = persist
    reader = {'type': 'mmkd.Deadly', **{f'{n}.avi': d for n, d in deeds.items()}}
    cfg.train_dataloader.dataset.reader = reader
    cfg.default_hooks.bad_videos.update({'time_limit': 1, 'max_share': 0.5, **options})
    if not by_epoch:
        cfg.train_cfg = {'type': 'IterBasedTrainLoop', 'max_iters': 6}
        for scheduler in cfg.param_scheduler:
            scheduler.by_epoch = False
        cfg.default_hooks.checkpoint.by_epoch = False
    return cfg


CASES = [
    ('segfault', 'reading it ends the process (SIGSEGV)'),
    ('abort', 'reading it ends the process (SIGABRT)'),
    ('exit', 'reading it ends the process (status 3)'),
    ('computes with the lock', 'not done within 1 s'),
    ('computes without the lock', 'not done within 1 s'),
    ('waits with the lock', 'not done within 1 s'),
]


@pytest.fixture(scope='module')
def twin(tmp_path_factory):
    """The run of a decoder that only says that it cannot read the two videos."""
    folder = tmp_path_factory.mktemp('twin')
    write_videos(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(config(folder / 'run', 0, {1: 'fails', 4: 'fails'}))
    return load(folder / 'run/epoch_2.pth')


@pytest.mark.parametrize(('deed', 'reason'), CASES, ids=[c[0] for c in CASES])
def test_the_run_is_that_of_a_decoder_that_refuses(project, twin, deed, reason):
    assert deed in DEEDS
    run(config(project / 'run', 2, {1: deed, 4: deed}))
    assert differences(twin, load(project / 'run/epoch_2.pth')) == []
    assert read_bad_videos(project / 'run/bad_videos.txt') == {
        f'{VIDEOS}/1.avi': reason,
        f'{VIDEOS}/4.avi': reason,
    }
    # The next start knows them, and needs no worker for that.
    cfg = config(project / 'run', 0, {1: deed, 4: deed})
    run(cfg, resume=project / 'run/epoch_1.pth')
    assert differences(twin, load(project / 'run/epoch_2.pth')) == []


@pytest.mark.parametrize(('by_epoch', 'persist'), [(False, False), (True, True)])
def test_by_iterations_and_with_workers_that_persist(project, by_epoch, persist):
    found = []
    for name, workers, deed in (('one', 0, 'fails'), ('other', 2, 'abort')):
        run(config(project / name, workers, {2: deed}, by_epoch, persist and workers))
        last = 'epoch_2.pth' if by_epoch else 'iter_6.pth'
        found.append(load(project / name / last))
    assert differences(*found) == []


def test_none_may_be_bad(project):
    with pytest.raises(UserError, match=r'3\.avi cannot be read \(.*SIGABRT'):
        run(config(project / 'run', 2, {3: 'abort'}, max_share=0))


def test_a_decoder_that_never_works_stops_the_run(project):
    every = dict.fromkeys(range(6), 'exit')
    # Its last worker may be lost before or after it said that it found no good video.
    why = r'3 (workers in a row were lost|videos in a row cannot be read).*\(status 3\)'
    with pytest.raises(UserError, match=why):
        run(config(project / 'run', 1, every, max_share=1, max_in_a_row=3))


def test_too_large_a_share(project):
    deeds = {1: 'exit', 2: 'exit', 3: 'exit'}
    with pytest.raises(UserError, match=r'\d of 6 videos cannot be read, more than'):
        run(config(project / 'run', 1, deeds, max_share=0.1))
    assert len(read_bad_videos(project / 'run/bad_videos.txt')) >= 2


def test_a_killed_worker_is_no_fault_of_the_video(project):
    """The system, short of memory, ends processes with this signal."""
    with pytest.raises(UserError, match=r'while it read .*0\.avi \(SIGKILL\)'):
        run(config(project / 'run', 1, {0: 'killed'}))
    assert not (project / 'run/bad_videos.txt').exists()


def leaves(seconds: float) -> None:
    time.sleep(seconds)
    os._exit(3)


def test_a_worker_that_is_just_ending_has_ended():
    """Its connections break before its process is gone."""
    fork = multiprocessing.get_context('fork')
    workers = [fork.Process(target=leaves, args=(s,)) for s in (60, 0.3)]
    for worker in workers:
        worker.start()
    assert _lost(workers) == {1: 3}
    workers[0].kill()


@FUNCTIONS.register_module()
def cannot_be_sent(samples):
    return lambda: samples


def test_a_batch_that_is_lost_on_its_way_is_one_line(project, monkeypatch):
    """As without a file descriptor for it: its worker says so and goes on."""
    monkeypatch.setattr(WorkerWatch.__init__, '__defaults__', (1.0,))
    cfg = config(project / 'run', 2, {})
    cfg.train_dataloader.collate_fn = {'type': 'cannot_be_sent'}
    with pytest.raises(UserError, match=r'a batch has not come for 1 s.*ulimit -n'):
        run(cfg)
