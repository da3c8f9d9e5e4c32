import os

import pytest

from mmkd.commands.transcode import transcoding
from mmkd.commands.transcode.transcoding import transcode_lists
from mmkd.commands.transcode.video import Settings
from mmkd.datasets import video_file
from mmkd.errors import UserError
from tests.datasets.video_readers.videos import pictures, write
from tests.progress_lines import messages
from tests.tools.toy_project import run_tool

SETTINGS = Settings(short_side=32, gop=4)


@pytest.fixture
def data(tmp_path):
    """Return a folder of two videos and a list that names one of them twice."""
    (tmp_path / 'videos' / 'x').mkdir(parents=True)
    write(tmp_path / 'videos' / 'x' / 'a.mkv', pictures(6, 48, 64))
    write(tmp_path / 'videos' / 'b.mp4', pictures(5, 64, 48, 1))
    (tmp_path / 'list.txt').write_text('x/a.mkv 3\nb.mp4 -1\nx/a.mkv 3\n')
    return tmp_path


def run(data, settings=SETTINGS, **options):
    return transcode_lists(
        [data / 'list.txt'], data / 'out', data / 'videos', settings, **options
    )


def stamps(data):
    return {p.name: p.stat().st_mtime_ns for p in (data / 'out').rglob('*.mp4')}


def test_videos_and_lists(data):
    summary = run(data)
    out = data / 'out'
    assert (out / 'list.txt').read_text() == 'x/a.mp4 3\nb.mp4 -1\nx/a.mp4 3\n'
    found = sorted(str(p.relative_to(out)) for p in out.rglob('*') if p.is_file())
    assert found == ['list.txt', 'transcode.jsonl', 'videos/b.mp4', 'videos/x/a.mp4']
    assert (len(summary.entries), summary.skipped, summary.failed) == (2, 0, {})
    frames = {entry.name: entry.written.frames for entry in summary.entries}
    assert frames == {'x/a.mkv': 6, 'b.mp4': 5}
    assert '2 videos (0 of them were there)' in str(summary)


def test_a_second_call_does_only_what_has_changed(data):
    run(data)
    before = stamps(data)
    assert run(data).skipped == 2
    assert stamps(data) == before

    os.utime(data / 'videos' / 'b.mp4', ns=(1, 1))  # touched: the content decides
    assert run(data).skipped == 2
    write(data / 'videos' / 'b.mp4', pictures(7, 64, 48, 2))
    assert run(data).skipped == 1
    (data / 'out' / 'videos' / 'b.mp4').write_bytes(b'cut short')
    assert run(data).skipped == 1
    assert run(data, Settings(short_side=32, gop=8)).skipped == 0
    assert {name for name in before if before[name] != stamps(data)[name]} == {*before}


def test_an_interruption_is_taken_up(data, monkeypatch):
    whole = transcoding.transcode

    def stopped(source, target, settings):
        if source.name == 'a.mkv':
            raise KeyboardInterrupt
        return whole(source, target, settings)

    monkeypatch.setattr(transcoding, 'transcode', stopped)
    with pytest.raises(KeyboardInterrupt):
        run(data, workers=1)
    monkeypatch.undo()
    assert not (data / 'out' / 'list.txt').exists()
    journal = data / 'out' / 'transcode.jsonl'
    journal.write_text(journal.read_text() + '{"name": "x/a')  # cut short by a crash
    assert run(data).skipped == 1
    assert run(data).skipped == 2
    assert (data / 'out' / 'list.txt').exists()


def test_bad_videos_are_named_and_left_out(data):
    (data / 'videos' / 'b.mp4').write_bytes(b'no video')
    (data / 'list.txt').write_text('x/a.mkv 3\nb.mp4 1\ngone.avi 2\n')
    summary = run(data)
    assert set(summary.failed) == {'b.mp4', 'gone.avi'}
    assert 'failed: b.mp4: ' in str(summary)
    assert 'gone.avi is not there' in str(summary)
    assert (data / 'out' / 'list.txt').read_text() == 'x/a.mp4 3\n'
    assert stamps(data).keys() == {'a.mp4'}


def test_mistakes_are_one_line(data, monkeypatch):
    with pytest.raises(UserError, match='--short-side 8'):
        Settings(short_side=8)
    with pytest.raises(UserError, match='holds the lists themselves'):
        transcode_lists([data / 'list.txt'], data, data / 'videos')
    (data / 'list.txt').write_text('a.avi 0\na.mp4 0\n')
    with pytest.raises(UserError, match=r'a\.avi and a\.mp4 would both become a\.mp4'):
        run(data)
    (data / 'list.txt').write_text('../a.avi 0\n')
    with pytest.raises(UserError, match='leads out of the folder'):
        run(data)
    monkeypatch.setattr(video_file, 'CODEC', 'no_such_encoder')
    with pytest.raises(UserError, match='has no no_such_encoder encoder'):
        run(data)
    assert not (data / 'out').exists()


def test_the_tool(data):
    (data / 'videos' / 'b.mp4').unlink()
    command = [data / 'list.txt', data / 'out', '--prefix', data / 'videos']
    done = run_tool(data, 'data/transcode.py', *map(str, command), '--short-side', '32')
    assert done.returncode == 1
    assert done.stdout.startswith('1 videos (0 of them were there)')
    assert 'b.mp4 is not there' in done.stdout
    assert messages(done.stderr) == ''
