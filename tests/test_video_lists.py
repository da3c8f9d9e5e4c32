"""Lists are read in one way, and refused with one line, by every tool."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmaction.datasets import VideoDataset
from mmengine.config import Config

from mmkd.commands.extract_maps import videos_of
from mmkd.commands.listed_videos import check
from mmkd.commands.transcode.transcoding import transcode_lists
from mmkd.datasets.pack_videos import names_of
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError, printable
from mmkd.evaluation.lists import describe_list
from mmkd.video_lists import ListFormat, read_list

GOOD = b'a.mp4 0\nb.mp4 1\n'
# Content of a list, and words of the refusal.
BAD: dict[str, tuple[bytes, str]] = {
    'mark': (b'\xef\xbb\xbf' + GOOD, 'begins with a byte-order mark. Save it as UTF-8'),
    'mark_inside': (b'b.mp4 1\n\xef\xbb\xbfa.mp4 0\n', 'line 2: a byte-order mark is'),
    'utf16': (GOOD.decode().encode('utf-16'), 'it is UTF-16, not UTF-8'),
    'utf32': (GOOD.decode().encode('utf-32'), 'it is UTF-16, not UTF-8'),
    'latin1': ('\xe9.mp4 0\n'.encode('latin-1'), 'it is not UTF-8'),
    'tab': (b'a.mp4\t0\n', 'a tab stands where a blank is expected'),
    'tab_and_blank': (b'a.mp4\t 0\n', 'line 1: a tab is at the end of the path'),
    'comma': (b'a.mp4,0\n', 'a comma stands where a blank is expected'),
    'comma_and_blank': (b'a.mp4, 0\n', 'line 1: a comma is at the end of the path'),
    'semicolon': (b'a.mp4;0\n', 'a semicolon stands where a blank is expected'),
    'no_break_space': (
        'a.mp4\u00a00\n'.encode(),
        'a blank of another kind (U+00A0) stands where a blank is expected',
    ),
    'wide_space': ('a.mp4\u30000\n'.encode(), 'another kind (U+3000) stands where'),
    'no_width': ('a.mp4\u200b0\n'.encode(), 'another kind (U+200B) stands where'),
    'no_break_space_and_blank': (
        'a.mp4\u00a0 0\n'.encode(),
        'a blank of another kind (U+00A0) is at the end of the path',
    ),
    'blank_and_no_break_space': ('a.mp4 \u00a00\n'.encode(), 'is not a whole number'),
    'two_blanks': (b'a.mp4  0\n', 'expected "path label", found'),
    'quotes': (b'"a.mp4" 0\n', 'is in quotes. Write it without quotes'),
    'quotes_and_blank': (b'"a b.mp4" 0\n', 'the path is in quotes'),
    'single_quotes': (b"'a.mp4' 0\n", 'is in quotes'),
    'blank_in_path': (b'my a.mp4 0\n', 'A path must not contain the delimiter'),
    'empty_line': (
        b'a.mp4 0\n\nb.mp4 1\n',
        'line 2: expected "path label", found \'\'',
    ),
    'empty': (b'', 'is empty'),
    'two_labels': (
        b'a.mp4 0\nb.mp4 1\na.mp4 1\n',
        'line 3: a.mp4 has the label 1, but 0 in line 1',
    ),
    'two_labels_two_spellings': (
        b'x/../a.mp4 0\na.mp4 1\n',
        'line 2: a.mp4 has the label 1, but 0 in line 1',
    ),
    'no_number': (b'a.mp4 one\n', "the label 'one' is not a whole number"),
    'odd_digits': ('a.mp4 \u0663\n'.encode(), 'is not a whole number'),
    'http': (b'http://host/a.mp4 0\n', 'is an address or protocol, not a path'),
    'https': (b'HTTPS://host/a.mp4 0\n', 'is an address or protocol, not a path'),
    'concat': (b'concat:a.mp4|b.mp4 0\n', 'is an address or protocol, not a path'),
    'file': (b'file:a.mp4 0\n', 'is an address or protocol, not a path'),
    'subfile': (b'subfile,,start,0,end,9,,:a.mp4 0\n', 'is an address or protocol'),
    's3': (b's3://bucket/a.mp4 0\n', 'is an address or protocol'),
    'null': (b'a\0.mp4 0\n', 'holds a null character'),
    'control': (b'\x1b[2Ja b c\n', "found '\\x1b[2Ja b c'"),
}


@pytest.fixture
def folder(tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        (tmp_path / name).touch()
    return tmp_path


def readers(folder: Path):
    """Return every way in which a tool reads a list, by the tool's name."""
    path = folder / 'list.txt'
    videos = {
        'type': 'VideoDataset',
        'ann_file': str(path),
        'data_prefix': {'video': str(folder)},
        'pipeline': [],
    }
    loader = {'dataset': videos}
    hook = {'type': 'mmkd.HeldOutPretextHook', 'ann_file': str(path)}
    text = {'model': {}, 'custom_hooks': []}
    cfg = Config({**text, 'train_dataloader': loader, 'test_dataloader': loader})
    held_out = Config({**text, 'custom_hooks': [hook], 'train_dataloader': {}})
    checked = SimpleNamespace(
        list=path, prefix=folder, workers=1, frames=1, time_limit=9, delimiter=' '
    )
    return {
        'train': lambda: check_datasets(cfg, ('train_dataloader',)),
        'test': lambda: check_datasets(cfg, ('test_dataloader',)),
        'held out': lambda: check_datasets(held_out, ('train_dataloader',)),
        'evaluate': lambda: describe_list(videos),
        'pack': lambda: names_of([path]),
        'transcode': lambda: transcode_lists([path], folder / 'out', folder),
        'check_videos': lambda: check(checked),
        'extract': lambda: videos_of(path, folder, (1, 1)),
    }


@pytest.mark.parametrize('name', BAD)
def test_the_same_line_from_every_tool(folder, name):
    content, words = BAD[name]
    (folder / 'list.txt').write_bytes(content)
    messages = {}
    for tool, read in readers(folder).items():
        with pytest.raises(UserError) as caught:
            read()
        messages[tool] = str(caught.value)
        assert words in messages[tool], tool
        assert messages[tool].isprintable(), tool
    if name != 'empty':  # where the remedy depends on who made the list
        assert len(set(messages.values())) == 1, messages


@pytest.mark.parametrize(
    'content',
    [GOOD, GOOD.replace(b'\n', b'\r\n'), GOOD[:-1], GOOD + b'a.mp4 0\n', b' ' + GOOD],
)
def test_sound_lists_are_read_as_mmaction2_does(folder, content):
    path = folder / 'list.txt'
    path.write_bytes(content)
    ours = [(line.path, line.labels) for line in read_list(path)]
    upstream = VideoDataset(str(path), [], {'video': ''}, serialize_data=False)
    infos = [upstream.get_data_info(n) for n in range(len(upstream))]
    assert ours == [(info['filename'], (info['label'],)) for info in infos]
    assert describe_list({'ann_file': str(path)})['videos'] == len(upstream)
    assert names_of([path]) == ['a.mp4', 'b.mp4']


def test_several_labels_and_other_delimiters(folder):
    path = folder / 'list.txt'
    path.write_text('my a.mp4,0,2\nb.mp4,1\n')
    form = ListFormat(',', multi_class=True, num_classes=3)
    lines = read_list(path, form)
    assert [(x.number, x.path, x.labels) for x in lines] == [
        (1, 'my a.mp4', (0, 2)),
        (2, 'b.mp4', (1,)),
    ]
    assert names_of([path], ',') == ['b.mp4', 'my a.mp4']  # no config tells tools
    path.write_text('my a.mp4,0,2\nmy a.mp4,2,0\nmy a.mp4,1\n')
    with pytest.raises(
        UserError, match=r'line 3: my a\.mp4 has the label 1, but 0 2 in'
    ):
        read_list(path, form)


def test_what_is_no_list_is_named(tmp_path):
    with pytest.raises(UserError, match=r'no\.txt is not there'):
        read_list(tmp_path / 'no.txt')
    with pytest.raises(UserError, match='is no regular file'):
        read_list(tmp_path)


def test_control_codes_do_nothing_in_a_message(capsys):
    assert printable('a\x1b[31m\x07\n\u202e\x9b\udc80') == (
        'a\\x1b[31m\\x07\\n\\u202e\\x9b\\udc80'
    )
    assert printable('Bärenmarke 動画 a b') == 'Bärenmarke 動画 a b'
    with pytest.raises(SystemExit), one_line_errors():
        raise UserError('x\x1b[2J\ny')
    assert capsys.readouterr().err == 'error: x\\x1b[2J y\n'
