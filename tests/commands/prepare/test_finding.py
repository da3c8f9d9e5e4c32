import pytest

from mmkd.commands.prepare.kinetics import read_kinetics100
from mmkd.commands.prepare.videos import (
    VideoIndex,
    clip_key,
    path_key,
    video_files,
)
from tests.commands.prepare.trees import make_empty
from tests.shared_files import shared_path

CLIP = 'JAs8e3NTz3Y_000020_000030'


def test_only_videos_of_the_upper_folders_are_seen(tmp_path):
    names = ['x.MP4', 'b/a.avi', 'b/c/a.webm', 'b/c/d/a.avi', 'b/a.txt']
    make_empty(tmp_path, names)
    assert list(video_files(tmp_path)) == ['x.MP4', 'b/a.avi', 'b/c/a.webm']


@pytest.mark.parametrize(
    'on_disk',
    [
        'HandstandPushups/v_HandStandPushups_g01_c01.avi',
        'HandstandPushups/v_HandstandPushups_g01_c01.avi',
        'HandStandPushups/v_HandStandPushups_g01_c01.mp4',
    ],
)
def test_case_and_container_do_not_count(tmp_path, on_disk):
    index = VideoIndex(make_empty(tmp_path, [on_disk]), path_key)
    listed = 'HandstandPushups/v_HandStandPushups_g01_c01.avi'
    assert index.find(listed) == on_disk
    assert index.find(listed.replace('c01', 'c02')) is None


def test_the_exact_path_comes_first(tmp_path):
    make_empty(tmp_path, ['A/x.avi', 'A/x.mp4', 'a/x.avi'])
    index = VideoIndex(tmp_path, path_key)
    assert [index.find(p) for p in ('A/x.mp4', 'a/x.avi')] == ['A/x.mp4', 'a/x.avi']


def test_odd_names_are_no_patterns(tmp_path):
    make_empty(tmp_path, ['cartwheel/[x]_(a)!;~.avi', 'cartwheel/x_(a)!;~.avi'])
    index = VideoIndex(tmp_path, path_key)
    assert index.find('cartwheel/[x]_(a)!;~.avi') == 'cartwheel/[x]_(a)!;~.avi'


@pytest.mark.parametrize(
    'on_disk',
    [
        f'playing_piano/{CLIP}.mkv',
        f'playing piano/{CLIP}.mp4',
        f'train/playing piano/{CLIP}.webm',
        f'train/{CLIP}.avi',
        f'{CLIP}.mp4',
    ],
)
def test_a_clip_is_found_in_any_layout(tmp_path, on_disk):
    index = VideoIndex(make_empty(tmp_path, [on_disk]), clip_key)
    assert index.find(f'playing_piano/{CLIP}.mp4') == on_disk


def test_of_two_copies_the_one_in_the_class_folder_is_taken(tmp_path):
    make_empty(tmp_path, [f'a/{CLIP}.mp4', f'playing piano/{CLIP}.mkv'])
    index = VideoIndex(tmp_path, clip_key)
    assert index.find(f'playing_piano/{CLIP}.mp4') == f'playing piano/{CLIP}.mkv'


def test_case_counts_in_a_youtube_id(tmp_path):
    index = VideoIndex(make_empty(tmp_path, [f'a/{CLIP.lower()}.mp4']), clip_key)
    assert index.find(f'a/{CLIP}.mp4') is None


def test_a_listed_id_that_lost_its_leading_dash_is_found(tmp_path):
    on_disk = 'doing laundry/-_rVYwU5SNs_000003_000013.mp4'
    index = VideoIndex(make_empty(tmp_path, [on_disk]), clip_key)
    assert index.find('doing_laundry/rVYwU5SNs_000003_000013.mp4') == on_disk


def test_auxskd_list_has_lost_leading_dashes():
    plan = read_kinetics100(shared_path('data/lists/kinetics/k100.list'))
    clips = [path.rpartition('/')[2] for path in plan.paths()]
    ids = [clip.removesuffix('.mp4')[:-14] for clip in clips]
    assert sum(len(name) < 11 for name in ids) == 1119
    assert not any(name[0] in '-_' for name in ids)
    assert len({clip_key(clip) for clip in clips}) == len(clips)
