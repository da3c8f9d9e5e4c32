"""Runs of a tiny config with bad videos in its list."""

import logging
import threading
from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import DATASETS

from mmkd.datasets.bad_videos import REPLACED
from mmkd.datasets.transforms.decoding import OpenVideo
from mmkd.engine.hooks import BadVideosHook, bad_videos
from mmkd.engine.hooks.bad_videos import read_bad_videos
from mmkd.engine.hooks.preemption import StoppedBySignal
from mmkd.errors import UserError
from tests.engine.micro_runs import differences, load, micro_config, run, write_videos
from tests.shared_files import ROOT
from tests.tools.toy_project import make_project, run_tool

CONFIG = ROOT / 'configs/tiny/auxskd_r3d_synthetic.py'
VIDEOS = 'data/synthetic/videos'
BAD = f'{VIDEOS}/1.avi'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Six videos, of which number 1 is cut off before its first frame."""
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / BAD).write_bytes((tmp_path / BAD).read_bytes()[:500])
    return tmp_path


def config(work_dir, workers=0, **options):
    cfg = micro_config(CONFIG, work_dir, workers)
    assert cfg.default_hooks.bad_videos == {'type': 'mmkd.BadVideosHook'}
    cfg.default_hooks.bad_videos.update(options)
    return cfg


def test_replaced_alike_with_workers_and_after_a_resume(project, caplog):
    straight, resumed = project / 'straight', project / 'resumed'
    cfg = config(straight)
    cfg.log_level = 'INFO'
    with caplog.at_level(logging.INFO, logger=cfg.experiment_name):
        run(cfg)
    assert read_bad_videos(straight / 'bad_videos.txt').keys() == {BAD}
    log = next(straight.rglob('*.log')).read_text()
    assert log.count(f'{BAD} cannot be read (') == 1
    assert log.count('bad videos: 1 of 6; 1 samples of this epoch were replaced') == 2

    with pytest.raises(StoppedBySignal):
        run(config(resumed, workers=2), stop_at=4)
    run(config(resumed), resume=resumed / 'interrupted.pth')
    one, other = load(straight / 'epoch_2.pth'), load(resumed / 'epoch_2.pth')
    assert differences(one, other) == []
    assert read_bad_videos(resumed / 'bad_videos.txt').keys() == {BAD}


def test_too_large_a_share_stops_the_run(project):
    for number in (2, 3):
        (project / f'{VIDEOS}/{number}.avi').write_bytes(b'')
    with pytest.raises(UserError, match=r'\d of 6 videos cannot be read, more than'):
        run(config(project / 'run', max_share=1 / 6))
    assert len(read_bad_videos(project / 'run/bad_videos.txt')) >= 2


def test_no_share_makes_each_an_error(project):
    with pytest.raises(UserError, match=rf'^{BAD} cannot be read \('):
        run(config(project / 'run', max_share=0))


def test_all_bad(project):
    for number in range(6):
        (project / f'{VIDEOS}/{number}.avi').write_bytes(b'')
    with pytest.raises(UserError, match='4 videos in a row cannot be read'):
        run(config(project / 'run', max_share=1, max_in_a_row=4))


def test_a_decoder_that_hangs_is_cut_off(project, monkeypatch):
    never, transform = threading.Event(), OpenVideo.transform

    def hang(self, results):
        if results['filename'].endswith(BAD):
            never.wait(60)
        return transform(self, results)

    monkeypatch.setattr(OpenVideo, 'transform', hang)
    run(config(project / 'run', time_limit=0.5))
    assert read_bad_videos(project / 'run/bad_videos.txt') == {
        BAD: 'not done within 0.5 s'
    }
    assert torch.load(project / 'run/epoch_2.pth', weights_only=True)['meta']['iter']


def test_a_test_never_goes_on_without_a_video(project):
    lines = (project / 'data/synthetic/test.txt').read_text()
    assert lines.startswith('0.avi 0\n1.avi 1\n')
    dataset = DATASETS.build(
        {
            'type': 'RepeatDataset',
            'times': 2,
            'dataset': {
                'type': 'VideoDataset',
                'ann_file': 'data/synthetic/test.txt',
                'data_prefix': {'video': VIDEOS},
                'pipeline': [{'type': 'DecordInit'}],
            },
        }
    )
    loader = SimpleNamespace(dataset=dataset)
    BadVideosHook().before_val(SimpleNamespace(val_dataloader=loader))
    BadVideosHook().before_test(SimpleNamespace(test_dataloader=loader))
    assert dataset[0]['total_frames'] == 40
    with pytest.raises(UserError, match=rf'^{BAD} cannot be read \('):
        dataset[7]


def test_one_line_from_a_worker(tmp_path):
    make_project(tmp_path)
    for video in (tmp_path / 'data/videos').iterdir():
        video.write_bytes(b'')
    options = ['--cfg-options', 'train_dataloader.num_workers=1']
    done = run_tool(tmp_path, 'train.py', 'configs/toy/tiny.py', *options)
    assert done.returncode == 2
    # decord writes of each file itself, in pieces.
    errors = [x for x in done.stderr.splitlines() if 'error: ' in x]
    assert len(errors) == 1
    assert 'error: 10 videos in a row cannot be read, the last one' in errors[0]
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'options', [{'max_share': 1.1}, {'max_in_a_row': 0}, {'time_limit': -1}]
)
def test_arguments(options):
    with pytest.raises(UserError, match=next(iter(options))):
        BadVideosHook(**options)


def test_the_file_may_hold_anything(tmp_path):
    path = tmp_path / 'bad_videos.txt'
    assert read_bad_videos(path) == {}
    path.write_bytes(b'a b.avi\twhy\tso\n\xff\xfe\nno tab\n')
    assert read_bad_videos(path) == {'a b.avi': 'why\tso'}


def test_what_another_process_found_counts(tmp_path, monkeypatch):
    """This process has found one of ten; the other one has found it and two more."""
    other = {'a.avi': 'x', 'b.avi': 'y', 'c.avi': 'not done within 60 s'}
    asked = []

    def gather(own):
        asked.append(dict(own))
        return [own, other]

    monkeypatch.setattr(bad_videos.dist, 'get_world_size', lambda: 2)
    monkeypatch.setattr(bad_videos.dist, 'all_gather_object', gather)
    hook = BadVideosHook(max_share=0.3)
    logger = logging.getLogger('toy')
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        logger=logger,
        iter=0,
        _resume=False,
        train_dataloader=SimpleNamespace(dataset=[]),
        train_loop=None,
    )
    hook.before_train(runner)
    hook.listed = 10
    sample = SimpleNamespace(metainfo={REPLACED: [('a.avi', 'x')]})
    for runner.iter in range(1, 51):
        batch = {'data_samples': [sample] if runner.iter == 7 else []}
        hook.before_train_iter(runner, 0, batch)
    assert asked == [{'a.avi': 'x'}]  # at step 50 only
    assert hook.replaced == 1
    assert hook.found == read_bad_videos(tmp_path / 'bad_videos.txt') == other
    assert hook._hung == {'c.avi': 'not done within 60 s'}

    other['d.avi'] = 'z'
    with pytest.raises(UserError, match=r'4 of 10 .* last one is d\.avi \(z\)'):
        hook.after_train_epoch(runner)
