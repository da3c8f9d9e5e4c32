"""The command line as a user runs it."""

import runpy
import shutil
from pathlib import Path

import pytest

from mmkd.commands.prepare.synthetic import dataset
from tests.commands.prepare.trees import make_video, write_hmdb51, write_ucf101
from tests.progress_lines import messages
from tests.shared_files import ROOT, shared_path
from tests.tools.toy_project import run_tool

TRAIN = 'Alpha/a.avi 1\nAlpha/gone.avi 1\n'
TEST = 'Beta/b.avi\n'


def run(folder, *arguments, fresh=False):
    return run_tool(folder, 'data/prepare.py', *map(str, arguments), fresh=fresh)


@pytest.fixture
def ucf101(tmp_path):
    make_video(tmp_path / 'mine/Alpha/a.avi')
    make_video(tmp_path / 'mine/Beta/b.avi')
    write_ucf101(tmp_path / 'lists', TRAIN, TEST)
    return ['ucf101', '--videos', 'mine', '--annotations', 'lists']


def test_ucf101(tmp_path, ucf101):
    done = run(tmp_path, *ucf101, fresh=True)
    assert (done.returncode, messages(done.stderr)) == (0, '')
    out = tmp_path / 'data/ucf101'
    assert (out / 'train_split2.txt').read_text() == 'Alpha/a.avi 0\n'
    assert (out / 'test_split2.txt').read_text() == 'Beta/b.avi 1\n'
    assert 'missing (1): Alpha/gone.avi' in done.stdout
    assert 'every name is in data/ucf101/report.json' in done.stdout


def test_strict_ends_with_1(tmp_path, ucf101):
    done = run(tmp_path, *ucf101, '--strict', '--out', 'out')
    assert done.returncode == 1
    assert messages(done.stderr) == (
        'error: incomplete, so no list was written; see out/report.json\n'
    )
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        'report.json',
        'scan.json',
    ]


def test_a_bad_line_ends_with_2_and_one_line(tmp_path, ucf101):
    (tmp_path / 'lists/trainlist02.txt').write_text('Alpha/a.avi\r\n')
    done = run(tmp_path, *ucf101)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith('error: lists/trainlist02.txt:1: expected ')
    assert done.stderr.count('\n') == 1
    assert not (tmp_path / 'data').exists()


def test_hmdb51(tmp_path):
    odd = '[x]_(a)!;~.avi'
    write_hmdb51(tmp_path / 'lists', f'{odd} 2 \n')
    make_video(tmp_path / 'data/hmdb51/videos/c00' / odd)
    done = run(tmp_path, 'hmdb51', '--annotations', 'lists')
    assert (done.returncode, messages(done.stderr)) == (0, '')
    text = (tmp_path / 'data/hmdb51/test_split1.txt').read_text()
    assert text == f'c00/{odd} 0\n'


def test_kinetics(tmp_path):
    clip = shared_path('data/standard_clips/kinetics/abseiling_k400.mp4')
    k100 = shared_path('data/lists/kinetics/k100.list')
    table = shared_path('data/lists/kinetics/tiny_train.csv')
    for name in (
        'playing piano/JAs8e3NTz3Y_000020_000030.mp4',
        'abseiling/_4YTwq0-73Y_000044_000054.mp4',
    ):
        (tmp_path / 'mine' / name).parent.mkdir(parents=True)
        shutil.copy(clip, tmp_path / 'mine' / name)
    done = run(tmp_path, 'kinetics100', '--videos', 'mine', '--list', k100)
    assert (done.returncode, messages(done.stderr)) == (0, '')
    line = 'playing_piano/JAs8e3NTz3Y_000020_000030.mp4 58\n'
    assert (tmp_path / 'data/kinetics100/train.txt').read_text() == line
    video = tmp_path / 'data/kinetics100/videos' / line.split()[0]
    assert video.read_bytes() == clip.read_bytes()

    done = run(tmp_path, 'kinetics400', '--videos', 'mine', '--train-csv', table)
    assert (done.returncode, messages(done.stderr)) == (0, '')
    line = 'abseiling/_4YTwq0-73Y_000044_000054.mp4 0\n'
    assert (tmp_path / 'data/kinetics400/train.txt').read_text() == line


def test_real_ut_interaction(tmp_path):
    videos = shared_path('data/ut_interaction')
    done = run(tmp_path, 'ut_interaction', '--videos', videos, '--strict')
    assert (done.returncode, messages(done.stderr)) == (0, '')
    out = tmp_path / 'data/ut_interaction'
    counts = {p.name: p.read_text().count('\n') for p in out.glob('*.txt')}
    folds = {f'fold{k}_{s}.txt': n for k in '12345' for s, n in SIZES.items()}
    sets = {'set1.txt': 60, 'set2.txt': 60, 'set1_other.txt': 98, 'pretrain.txt': 158}
    assert counts == {'classes.txt': 6, **sets, **folds}


SIZES = {'train': 96, 'test': 24}


def test_options_reach_the_renderer(tmp_path, monkeypatch, capsys):
    calls = []

    def render(out, **options):
        calls.append((out, options))
        return 7, 5

    monkeypatch.setattr(dataset, 'render_dataset', render)
    main = runpy.run_path(str(ROOT / 'tools/data/prepare.py'))['main']
    sizes = '--train-per-class 2 --test-per-class 1 --unlabelled 3 --size 64'
    assert main(['synthetic', '--out', 'x', '--overwrite', *sizes.split()]) == 0
    assert capsys.readouterr().out == '7 videos (5 new) are in x\n'
    options = {
        'train_per_class': 2,
        'test_per_class': 1,
        'unlabelled': 3,
        'size': 64,
        'seed': 0,
        'workers': 2,
        'overwrite': True,
    }
    assert calls == [(Path('x'), options)]


@pytest.mark.slow
def test_synthetic(tmp_path):
    sizes = ['--train-per-class', 1, '--test-per-class', 1, '--unlabelled', 1]
    args = ['synthetic', *sizes, '--size', 32, '--workers', 1, '--seed', 3]
    done = run(tmp_path, *args)
    assert done.returncode == 0, done.stderr
    out = tmp_path / 'data/synthetic'
    classes = (out / 'classes.txt').read_text().splitlines()
    train = (out / 'train.txt').read_text().splitlines()
    labels = [int(line.split()[1]) for line in train]
    assert sorted(labels) == list(range(len(classes)))
    (unlabelled,) = (out / 'unlabelled.txt').read_text().splitlines()
    path, label = unlabelled.split()
    assert label == '-1'
    assert (out / 'videos' / path).stat().st_size > 0


@pytest.mark.parametrize(
    ('args', 'what'),
    [
        (['ucf101', '--videos', 'x'], '--annotations'),
        (['hmdb51', '--annotations', 'x', '--min-frames', '0'], '0 is less than 1'),
        (['kinetics'], 'invalid choice'),
    ],
)
def test_bad_options(tmp_path, args, what):
    done = run(tmp_path, *args)
    assert done.returncode == 2
    assert what in done.stderr
