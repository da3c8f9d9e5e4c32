import json
import shutil
from pathlib import Path

import decord
import pytest
from mmaction.datasets import VideoDataset

from mmkd.commands.prepare.synthetic.actions import CLASS_NAMES
from mmkd.commands.prepare.synthetic.dataset import Plan, render_dataset
from mmkd.datasets.video_file import read_maps
from mmkd.errors import UserError
from tests.commands.prepare.synthetic.small_set import CLIPS, SMALL


def contents(out: Path) -> dict[str, bytes]:
    files = (p for p in out.rglob('*') if p.is_file())
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


@pytest.fixture
def copy(rendered, tmp_path) -> Path:
    """A copy of the small set to be changed."""
    return Path(shutil.copytree(rendered, tmp_path / 'copy'))


def test_what_is_written(rendered):
    files = contents(rendered)
    videos = {name for name in files if name.endswith('.mp4')}
    maps = {name for name in files if name.endswith('.npz')}
    assert len(videos) == len(maps) == CLIPS
    twins = {n.replace('videos', 'maps').replace('.mp4', '.npz') for n in videos}
    assert twins == maps
    lists = {'train.txt', 'test.txt', 'unlabelled.txt', 'classes.txt', 'meta.json'}
    assert set(files) - videos - maps == lists | {'maps/parts.json'}


def test_every_video_has_a_map_for_every_frame(rendered):
    for clip in Plan(**SMALL).clips():
        video = decord.VideoReader(str(clip.video(rendered)), num_threads=1)
        assert read_maps(clip.maps(rendered)).shape == (len(video), 32, 32)


@pytest.mark.parametrize(
    ('split', 'labels'),
    [
        ('train', set(range(len(CLASS_NAMES)))),
        ('test', set(range(len(CLASS_NAMES)))),
        ('unlabelled', {-1}),
    ],
)
def test_mmaction_reads_the_lists(rendered, split, labels):
    data = VideoDataset(
        str(rendered / f'{split}.txt'),
        pipeline=[],
        data_prefix={'video': str(rendered / 'videos')},
    )
    items = [data.get_data_info(i) for i in range(len(data))]
    assert {item['label'] for item in items} == labels
    assert all(Path(item['filename']).is_file() for item in items)


def test_clips_depend_on_neither_the_workers_nor_the_rest_of_the_set(
    rendered, tmp_path
):
    other = SMALL | {'train_per_class': 1}
    count = 2 * len(CLASS_NAMES) + 2
    assert render_dataset(tmp_path, workers=2, **other) == (count, count)
    one, two = contents(rendered), contents(tmp_path)
    shared = [n for n in two if '/test/' in n or '/unlabelled/' in n]
    assert len(shared) == 2 * (len(CLASS_NAMES) + 2)
    assert all(one[n] == two[n] for n in [*shared, 'test.txt', 'unlabelled.txt'])


def test_an_interrupted_rendering_is_taken_up(copy, rendered):
    lost = {'videos/train/00003.mp4', 'maps/test/00001.npz', 'test.txt'}
    for name in lost:
        (copy / name).unlink()
    # Both files of an unfinished clip are written again.
    lost |= {'videos/test/00001.mp4', 'maps/train/00003.npz'}
    kept = {n: (copy / n).stat().st_mtime_ns for n in contents(copy) if n not in lost}
    assert render_dataset(copy, workers=1, **SMALL) == (CLIPS, 2)
    assert contents(copy) == contents(rendered)
    assert {n: (copy / n).stat().st_mtime_ns for n in kept} == kept


def test_a_second_call_does_nothing(copy):
    before = {p: p.stat().st_mtime_ns for p in copy.rglob('*')}
    assert render_dataset(copy, workers=1, **SMALL) == (CLIPS, 0)
    assert {p: p.stat().st_mtime_ns for p in copy.rglob('*')} == before


def test_other_parameters_are_refused_then_overwritten(copy):
    fewer = SMALL | {'train_per_class': 1, 'test_per_class': 0, 'unlabelled': 0}
    (copy / 'notes.txt').write_text('mine')
    before = contents(copy)
    with pytest.raises(UserError, match='seed: 0 there, 5 wanted'):
        render_dataset(copy, workers=1, **SMALL, seed=5)
    with pytest.raises(UserError, match='train_per_class: 5 there, 1 wanted'):
        render_dataset(copy, workers=1, **fewer)
    assert contents(copy) == before
    render_dataset(copy, workers=1, **fewer, seed=5, overwrite=True)
    after = contents(copy)
    assert json.loads(after['meta.json'])['parameters']['seed'] == 5
    assert after['notes.txt'] == b'mine' and after['test.txt'] == b''
    videos = [n for n in after if n.endswith('.mp4')]
    assert len(videos) == len(CLASS_NAMES)
    assert all(after[n] != before[n] for n in videos)


@pytest.mark.parametrize('overwrite', [False, True])
def test_a_folder_of_something_else_is_never_touched(tmp_path, overwrite):
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'videos' / 'mine.mp4').write_text('mine')
    with pytest.raises(UserError, match='not rendered by mmkd'):
        render_dataset(tmp_path, overwrite=overwrite, **SMALL)
    assert contents(tmp_path) == {'videos/mine.mp4': b'mine'}


@pytest.mark.parametrize('bad', [{'workers': 0}, {'size': 33}])
def test_bad_numbers_leave_nothing_behind(tmp_path, bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        render_dataset(tmp_path / 'new', **bad)
    assert not (tmp_path / 'new').exists()
