import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from mmkd.datasets.video_readers.decord_video import decode
from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.methods.human_prior.part_maps import PartMapCache
from mmkd.methods.human_prior.part_maps.extraction import check, extract
from mmkd.methods.human_prior.part_maps.extractor import ExtractionOptions
from tests.datasets.transforms.clips import UT_SET1
from tests.methods.human_prior.part_maps.gray_parser import (
    labels_of,
    make_labels,
    write_config,
    write_videos,
)
from tests.shared_files import shared_path


def quiet(_):
    pass


@pytest.fixture
def case(tmp_path):
    """Five small videos, and how to extract them."""
    names = write_videos(tmp_path, 5)
    config = write_config(tmp_path)
    options = ExtractionOptions(
        config, tmp_path / 'cache', tmp_path / 'videos', size=8, batch_size=4
    )
    return names, options


def contents(folder):
    files = (path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_frame_has_the_map_of_its_pixels(case):
    names, options = case
    summary = extract(names, options, quiet)
    assert (summary.cost.videos, summary.done, summary.failed) == (5, 0, {})
    cache = PartMapCache(options.out)
    for number, name in enumerate(names):
        video = options.prefix / name
        labels = make_labels(9 + number, 32, 32, 8, seed=number)
        maps = cache.open(str(video), len(labels))
        np.testing.assert_array_equal(maps.frames, np.arange(len(labels)))
        np.testing.assert_array_equal(maps.read(maps.frames), labels[:, ::4, ::4])
        np.testing.assert_allclose(
            maps.person_share, (labels > 0).mean((1, 2)), atol=1e-5
        )
        assert maps.video.sha256 == sha256(video)
        assert (maps.video.height, maps.video.width, maps.video.fps) == (32, 32, 25)
    assert summary.cost.maps == sum(range(9, 14))
    sizes = [p.stat().st_size for p in options.out.rglob('*.npz')]
    assert summary.cost.bytes == sum(sizes)


def test_stride(case):
    names, options = case
    extract(names[:1], replace(options, stride=4), quiet)
    maps = PartMapCache(options.out).open(str(options.prefix / names[0]), 9)
    assert maps.frames.tolist() == [2, 6, 8]
    labels = make_labels(9, 32, 32, 8)[[2, 6, 8], ::4, ::4]
    np.testing.assert_array_equal(maps.read([0, 1, 2]), labels)


def test_a_clip_that_decord_miscounts(tmp_path, case):
    """Its maps are those of the frames that training decodes."""
    from decord import VideoReader

    _, options = case
    video = shared_path(UT_SET1)
    options = replace(options, prefix=video.parent, stride=9)
    extract([video.name], options, quiet)
    reader = VideoReader(str(video))
    maps = PartMapCache(options.out).open(str(video), len(reader))
    frames = decode(reader, maps.frames)
    for frame, labels in zip(frames, maps.read(range(len(frames))), strict=True):
        shown = np.eye(11)[labels_of(frame)]
        rows = np.linspace(0, frame.shape[0], 9)
        columns = np.linspace(0, frame.shape[1], 9)
        for i, j in ((0, 0), (3, 5), (7, 2)):
            top, bottom = int(np.floor(rows[i])), int(np.ceil(rows[i + 1]))
            left, right = int(np.floor(columns[j])), int(np.ceil(columns[j + 1]))
            means = shown[top:bottom, left:right].mean((0, 1))
            assert labels[i, j] == means.argmax()


def test_a_second_call_does_nothing(case):
    names, options = case
    extract(names, options, quiet)
    times = {p: p.stat().st_mtime_ns for p in options.out.rglob('*')}
    summary = extract(names, options, quiet)
    assert (summary.cost.videos, summary.done) == (0, 5)
    assert {p: p.stat().st_mtime_ns for p in options.out.rglob('*')} == times


@pytest.mark.parametrize('moment', ['before', 'after'])
def test_a_death_at_either_side_of_the_replacement(case, tmp_path, monkeypatch, moment):
    names, options = case
    whole = replace(options, out=tmp_path / 'whole')
    extract(names, whole, quiet)

    real = os.replace

    class Killed(BaseException):
        pass

    def die(source, target):
        if str(target).endswith('.npz'):
            if moment == 'after':
                real(source, target)
            # What a killed process leaves: its temporary file stays.
            left = str(source).removesuffix('.tmp')[:-8] + '00000000.tmp'
            shutil.copy(target if moment == 'after' else source, left)
            raise Killed
        real(source, target)

    for _ in range(5):
        monkeypatch.setattr(os, 'replace', die)
        with pytest.raises(Killed):
            extract(names, options, quiet)
        monkeypatch.setattr(os, 'replace', real)
        if moment == 'before':
            break
    extract(names, options, quiet)
    assert contents(options.out) == contents(whole.out)


def test_parts_of_two_machines(case, tmp_path):
    names, options = case
    whole = replace(options, out=tmp_path / 'whole')
    extract(names, whole, quiet)
    extract(names[0::2], options, quiet)
    foreign = options.out / 'maps' / 'b' / '.1.mp4.npz.77'
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_bytes(b'being written by the other machine')
    extract(names[0::2], options, quiet)
    assert foreign.exists()
    extract(names[1::2], options, quiet)
    assert contents(options.out) == contents(whole.out)


def test_a_second_extraction_of_the_same_videos_is_refused(case):
    """Beside a running one; other videos may be extracted meanwhile."""
    names, options = case
    found = []

    def second(_):
        with pytest.raises(UserError, match=r'in use by another extraction') as error:
            extract(names[::-1], options, quiet)
        found.append(str(error.value))
        extract(names[3:], options, quiet)

    extract(names, options, second)
    assert len(found) == 1 and '\n' not in found[0]
    assert len([*options.out.rglob('*.npz')]) == 5
    assert not [*options.out.rglob('*lock*')]
    assert extract(names, options, quiet).done == 5


def test_what_a_death_left_of_the_identity_is_swept_up(case):
    names, options = case
    options.out.mkdir()
    left = options.out / '.cache.json.00000000.tmp'
    left.write_text('{')
    extract(names[:1], options, quiet)
    assert not left.exists()


def test_a_damaged_file_and_an_exchanged_video_are_extracted_again(case):
    names, options = case
    extract(names, options, quiet)
    before = contents(options.out)
    path = options.out / 'maps' / f'{names[0]}.npz'
    path.write_bytes(path.read_bytes()[:-1])
    shutil.copy(options.prefix / names[3], options.prefix / names[1])
    lines = []
    summary = extract(names, options, lines.append)
    assert (summary.cost.videos, summary.done) == (2, 3)
    assert lines == ['2 files are damaged or of other videos: extracted again']
    after = contents(options.out)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f'maps/{names[1]}.npz'}


def test_another_teacher_is_refused(case, tmp_path):
    names, options = case
    extract(names[:1], options, quiet)
    before = contents(options.out)
    write_config(tmp_path, version=2)
    with pytest.raises(UserError, match=r'made with parser\.version 1, not 2'):
        extract(names, options, quiet)
    write_config(tmp_path)
    with pytest.raises(UserError, match='made with size 8, not 16'):
        extract(names, replace(options, size=16), quiet)
    assert contents(options.out) == before


def test_an_unreadable_video_stops_no_other(case):
    names, options = case
    (options.prefix / names[2]).write_bytes(b'no video')
    summary = extract(names, options, quiet)
    assert summary.cost.videos == 4
    assert list(summary.failed) == [names[2]]
    assert f'no maps of {names[2]}' in summary.text()
    assert 'cannot be decoded' in summary.failed[names[2]]


def test_the_estimate_comes_before_the_rest(case):
    names, options = case
    lines = []
    extract(names, options, lambda line: lines.append((line, len(found(options)))))
    ((line, count),) = lines
    assert line.startswith('estimate from 3 videos: ')
    assert '2 are left' in line
    assert count == 3


def found(options):
    return [*options.out.rglob('*.npz')]


def test_verify(case):
    names, options = case
    extract(names, options, quiet)
    assert check(names, options) == {}
    # Same size and number of frames: only the hash tells.
    video = options.prefix / names[1]
    data = bytearray(video.read_bytes())
    data[-1] ^= 1
    video.write_bytes(data)
    (options.out / 'maps' / f'{names[3]}.npz').unlink()
    bad = check(names, options)
    assert list(bad) == [names[1], names[3]]
    assert 'SHA-256' in bad[names[1]]
    with pytest.raises(UserError, match='made with stride 1, not 2'):
        check(names, replace(options, stride=2))
