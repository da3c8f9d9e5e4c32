import json

import pytest
from mmaction.datasets import VideoDataset

from mmkd.commands.prepare.kinetics import read_kinetics400
from mmkd.commands.prepare.preparing import Options, prepare
from mmkd.commands.prepare.ucf_hmdb import read_hmdb51, read_ucf101
from mmkd.errors import UserError
from mmkd.locks import locked_folder
from tests.commands.prepare.trees import (
    make_empty,
    make_video,
    write_hmdb51,
    write_ucf101,
)

TRAIN = ''.join(f'Alpha/{name}.avi 1\n' for name in ('good', 'gone', 'bad', 'short'))
TEST = ''.join(f'Beta/{name}.avi\n' for name in ('good', 'gone', 'bad', 'short'))


@pytest.fixture
def tree(tmp_path):
    """In either class: a good video, one missing, one empty, one of 16 frames."""
    for folder in ('Alpha', 'Beta'):
        make_video(tmp_path / 'mine' / folder / 'good.avi', 17)
        make_video(tmp_path / 'mine' / folder / 'short.avi', 16)
        (tmp_path / 'mine' / folder / 'bad.avi').touch()
    return tmp_path


@pytest.fixture
def plan(tree):
    return read_ucf101(write_ucf101(tree / 'official', TRAIN, TEST))


def options(tree, **changes):
    return Options(tree / 'mine', tree / 'out', workers=1, **changes)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_lists_and_report(plan, tree):
    prepare(plan, options(tree))
    out = tree / 'out'
    splits = [f'{part}_split{k}.txt' for part in ('test', 'train') for k in (1, 2, 3)]
    rest = ['classes.txt', 'report.json', 'scan.json', *splits, 'videos']
    assert names(out) == sorted(rest)
    assert (out / 'train_split1.txt').read_bytes() == b'Alpha/good.avi 0\n'
    test_list = (out / 'test_split1.txt').read_bytes()
    assert test_list == b'Beta/good.avi 1\nBeta/short.avi 1\n'
    assert (out / 'classes.txt').read_text() == 'Alpha\nBeta\n'
    report = json.loads((out / 'report.json').read_text())
    assert report['lists']['train_split2.txt'] == {
        'listed': 4,
        'found': 3,
        'written': 1,
        # sha256sum of the line above
        'sha256': 'e0f89eacf40d00ff6336fba1ddb81480873e0baedff1799f5728352781867afc',
        'missing': ['Alpha/gone.avi'],
        'unreadable': {'Alpha/bad.avi': 'the file is empty'},
        'too_short': {'Alpha/short.avi': 16},
    }
    assert (report['min_frames'], report['scanned']) == (17, True)


def test_table(plan, tree):
    lines = prepare(plan, options(tree)).table().splitlines()
    header = '  '.join(lines[0].split())
    assert header == 'listed  found  missing  unreadable  too  short  written'
    assert lines[1].split() == ['train_split1.txt', '4', '3', '1', '1', '1', '1']
    assert lines[2].split() == ['test_split1.txt', '4', '3', '1', '1', '1', '2']
    assert lines[7:10] == [
        'missing (2): Alpha/gone.avi, Beta/gone.avi',
        'unreadable (2): Alpha/bad.avi (the file is empty), '
        'Beta/bad.avi (the file is empty)',
        'too short (2): Alpha/short.avi (16 frames), Beta/short.avi (16 frames)',
    ]
    assert lines[10] == (
        'note: test_split1.txt: 2 of 4 videos are left out, so a number measured on it '
        'is not comparable with published ones'
    )
    assert len(lines) == 13


def test_fewer_frames_may_be_asked_for(plan, tree):
    prepare(plan, options(tree, min_frames=16))
    text = (tree / 'out/train_split1.txt').read_text()
    assert text == 'Alpha/good.avi 0\nAlpha/short.avi 0\n'


def test_without_a_scan_only_presence_counts(plan, tree):
    report = prepare(plan, options(tree, scan=False))
    text = (tree / 'out/train_split1.txt').read_text()
    assert text == 'Alpha/good.avi 0\nAlpha/bad.avi 0\nAlpha/short.avi 0\n'
    assert not (tree / 'out/scan.json').exists()
    assert report.as_json()['scanned'] is False


def test_strict_writes_the_report_only(plan, tree):
    report = prepare(plan, options(tree, strict=True))
    assert not report.complete
    assert names(tree / 'out') == ['report.json', 'scan.json']
    assert report.as_json()['lists']['train_split1.txt']['written'] == 0


def test_strict_is_content_with_short_videos(tree):
    train, test = 'Alpha/good.avi 1\nAlpha/short.avi 1\n', 'Beta/good.avi\n'
    plan = read_ucf101(write_ucf101(tree / 'official', train, test))
    assert prepare(plan, options(tree, strict=True)).complete
    assert (tree / 'out/train_split1.txt').read_text() == 'Alpha/good.avi 0\n'


def test_a_list_without_a_video_is_not_left_from_before(plan, tree):
    prepare(plan, options(tree))
    (tree / 'mine/Alpha/good.avi').unlink()
    report = prepare(plan, options(tree))
    assert not (tree / 'out/train_split1.txt').exists()
    assert 'train_split1.txt: no video to write, so there is no list' in report.notes


def test_nothing_found_says_where_it_looked(plan, tree):
    make_empty(tree / 'mine2', ['x.avi'])
    with pytest.raises(UserError) as error:
        prepare(plan, Options(tree / 'mine2', tree / 'out'))
    assert str(error.value) == (
        f'none of the 8 listed videos is in {tree / "mine2"} (looked for '
        'Alpha/good.avi, also with another suffix). Name the folder of the videos: '
        'python tools/data/prepare.py ucf101 --videos DIR --annotations DIR'
    )
    assert not (tree / 'out').exists()


def test_nothing_usable_leaves_a_report_and_no_list(plan, tree):
    for path in (tree / 'mine').rglob('*.avi'):
        path.write_bytes(b'')
    with pytest.raises(UserError, match=r'no video of .* can be used\. See .*report'):
        prepare(plan, options(tree))
    assert names(tree / 'out') == ['report.json', 'scan.json']


def test_mmaction2_reads_odd_names(tmp_path):
    odd = '[x]_(a)!;~.avi'
    plan = read_hmdb51(write_hmdb51(tmp_path / 'official', f'{odd} 1 \n'))
    make_empty(tmp_path / 'mine', [f'c50/{odd}'])
    prepare(plan, Options(tmp_path / 'mine', tmp_path / 'out', scan=False))
    assert load(tmp_path / 'out', 'train_split3.txt') == [
        (f'{tmp_path}/out/videos/c50/{odd}', 50)
    ]


def test_mmaction2_reads_class_folders_with_blanks(tmp_path):
    table = tmp_path / 'train.csv'
    header = 'label,youtube_id,time_start,time_end,split,is_cc'
    table.write_text(f'{header}\n"air drumming",_a,26,36,train,0\n')
    clip = '_a_000026_000036.mkv'
    videos = make_empty(tmp_path / 'mine', [f'air drumming/{clip}'])
    plan = read_kinetics400(table)
    prepare(plan, Options(videos, tmp_path / 'out', scan=False))
    ((path, label),) = load(tmp_path / 'out', 'train.txt')
    assert path == f'{tmp_path}/out/videos/air_drumming/{clip}'
    assert label == 0


def load(out, name):
    prefix = {'video': str(out / 'videos')}
    dataset = VideoDataset(str(out / name), pipeline=[], data_prefix=prefix)
    return [(info['filename'], info['label']) for info in dataset.load_data_list()]


def test_a_second_preparation_at_the_same_time_is_refused(plan, tree):
    prepare(plan, options(tree))
    before = {p.name: p.read_bytes() for p in (tree / 'out').glob('*.txt')}
    with (
        locked_folder(tree / 'out', 'preparation'),
        pytest.raises(UserError, match='is in use by another preparation'),
    ):
        prepare(plan, options(tree, min_frames=16))
    assert {p.name: p.read_bytes() for p in (tree / 'out').glob('*.txt')} == before
