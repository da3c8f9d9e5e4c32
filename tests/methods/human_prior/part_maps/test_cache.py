from dataclasses import replace
from pathlib import Path

import pytest

from mmkd.errors import UserError
from mmkd.methods.human_prior.part_maps import PartMapCache
from mmkd.methods.human_prior.part_maps.cache import map_path
from mmkd.methods.human_prior.part_maps.identity import claim
from tests.methods.human_prior.part_maps.made_maps import IDENTITY, VIDEO, data


@pytest.fixture
def folder(tmp_path):
    """A cache of one video, ``a/b.avi``, of 1234 bytes and 9 frames."""
    claim(tmp_path / 'cache', IDENTITY)
    put(tmp_path / 'cache', 'a/b.avi', data())
    video = tmp_path / 'videos' / 'a' / 'b.avi'
    video.parent.mkdir(parents=True)
    video.write_bytes(bytes(1234))
    return tmp_path


def put(folder, name, content):
    path = map_path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_the_maps_of_a_video(folder):
    cache = PartMapCache(folder / 'cache')
    maps = cache.open(str(folder / 'videos/a/b.avi'), 9)
    assert maps.video == VIDEO
    assert cache.identity == IDENTITY


@pytest.mark.parametrize('video', ['a/b.avi', './x/../a/b.avi', '../moved/a/b.avi'])
def test_the_folder_of_videos_may_move(folder, video):
    assert PartMapCache(folder / 'cache').open(video, 9).video == VIDEO


def test_the_longest_end_counts(folder):
    other = replace(VIDEO, name='b.avi', frames=8)
    put(folder / 'cache', 'b.avi', data(video=other))
    cache = PartMapCache(folder / 'cache')
    assert cache.open('v/a/b.avi', 9).video == VIDEO
    assert cache.open('v/c/b.avi', 8).video == other


def test_a_video_without_maps(folder):
    cache = PartMapCache(folder / 'cache')
    assert cache.find('a/c.avi') is None
    with pytest.raises(UserError, match=r'has no part maps of a/c\.avi'):
        cache.open('a/c.avi', 9)


def test_another_number_of_frames(folder):
    with pytest.raises(UserError, match=r'another file .*\(9 frames, not 10\)'):
        PartMapCache(folder / 'cache').open('a/b.avi', 10)


def test_another_size(folder):
    video = folder / 'videos/a/b.avi'
    video.write_bytes(bytes(1235))
    with pytest.raises(UserError, match=r'another file .*\(1234 bytes, not 1235\)'):
        PartMapCache(folder / 'cache').open(str(video), 9)


def test_a_file_of_another_teacher(folder):
    other = replace(IDENTITY, parser={'name': 'Gray', 'weights': 'cd'})
    put(folder / 'cache', 'a/b.avi', data(other))
    with pytest.raises(UserError, match=r"parser\.weights 'cd', not 'ab'") as error:
        PartMapCache(folder / 'cache').open('a/b.avi', 9)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('name', ['../x.avi', '/x.avi', 'a/../../x.avi'])
def test_names_that_lead_out(name):
    with pytest.raises(UserError, match='outside'):
        map_path(Path('cache'), name)
