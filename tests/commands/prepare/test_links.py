import pytest

from mmkd.commands.prepare.videos import link_videos
from mmkd.errors import UserError
from tests.commands.prepare.trees import make_empty


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / 'data' / 'set'
    folder.mkdir(parents=True)
    return folder


def test_the_link_leads_to_the_videos(tmp_path, out):
    videos = make_empty(tmp_path / 'mine', ['a/x.avi'])
    assert link_videos(videos, out, ['a/x.avi']) == {'a/x.avi': 'a/x.avi'}
    assert (out / 'videos').readlink() == videos
    assert (out / 'videos/a/x.avi').samefile(videos / 'a/x.avi')


def test_a_relative_folder_gets_an_absolute_target(tmp_path, out, monkeypatch):
    make_empty(tmp_path / 'mine', ['x.avi'])
    monkeypatch.chdir(tmp_path)
    link_videos((tmp_path / 'mine').relative_to(tmp_path), out, ['x.avi'])
    assert (out / 'videos').readlink() == tmp_path / 'mine'


def test_videos_in_the_data_folder_need_no_link(out):
    make_empty(out / 'videos', ['x.avi'])
    link_videos(out / 'videos', out, ['x.avi'])
    assert not (out / 'videos').is_symlink()


def test_an_older_link_is_replaced(tmp_path, out):
    videos = make_empty(tmp_path / 'new', ['x.avi'])
    (out / 'videos').symlink_to(tmp_path / 'gone')
    link_videos(videos, out, ['x.avi'])
    assert (out / 'videos').readlink() == videos
    assert [path.name for path in out.iterdir()] == ['videos']


def test_a_folder_of_something_else_is_left_alone(tmp_path, out):
    videos = make_empty(tmp_path / 'mine', ['x.avi'])
    make_empty(out / 'videos', ['other.avi'])
    with pytest.raises(UserError, match='is there already'):
        link_videos(videos, out, ['x.avi'])
    assert [path.name for path in (out / 'videos').iterdir()] == ['other.avi']


def test_folders_with_blanks_get_links_without(tmp_path, out):
    paths = ['train/air drumming/x.mp4', 'val/air drumming/y.mp4', 'val/yoga/z.mp4']
    videos = make_empty(tmp_path / 'mine', paths)
    written = link_videos(videos, out, paths)
    assert list(written.values()) == [
        'train/air_drumming/x.mp4',
        'val/air_drumming/y.mp4',
        'val/yoga/z.mp4',
    ]
    for path, name in written.items():
        assert (out / 'videos' / name).samefile(videos / path)
    assert sorted(p.name for p in videos.rglob('*') if p.is_dir()) == [
        'air drumming',
        'air drumming',
        'train',
        'val',
        'yoga',
    ]


def test_links_are_rebuilt_for_other_videos(tmp_path, out):
    for name in ('a b', 'c d'):
        videos = make_empty(tmp_path / name[0], [f'{name}/x.mp4'])
        link_videos(videos, out, [f'{name}/x.mp4'])
    assert [path.name for path in (out / 'videos').iterdir()] == ['c_d']


def test_a_link_of_the_user_to_blanks_is_seen_through(tmp_path, out):
    videos = make_empty(tmp_path / 'mine', ['a b/x.mp4'])
    (out / 'videos').symlink_to(videos)
    written = link_videos(out / 'videos', out, ['a b/x.mp4'])
    name = written['a b/x.mp4']
    assert (out / 'videos' / name).samefile(videos / 'a b/x.mp4')


@pytest.mark.parametrize(
    'paths',
    [
        ['a b/x.mp4', 'a_b/y.mp4'],
        ['a b/x y.mp4'],
        ['a b/x.mp4', 'y.mp4'],
        ['t/a b/x.mp4', 't/y.mp4'],
        ['t/y.mp4', 't/a b/x.mp4'],
    ],
)
def test_what_cannot_be_told_apart_is_refused(tmp_path, out, paths):
    videos = make_empty(tmp_path / 'mine', paths)
    with pytest.raises(UserError, match='Replace the blanks'):
        link_videos(videos, out, paths)
    assert list(out.iterdir()) == []
    assert not any(path.is_symlink() for path in videos.rglob('*'))


def test_blanks_in_the_folder_itself_cannot_be_helped(out):
    make_empty(out / 'videos', ['a b/x.mp4'])
    with pytest.raises(UserError, match='Move it elsewhere'):
        link_videos(out / 'videos', out, ['a b/x.mp4'])
