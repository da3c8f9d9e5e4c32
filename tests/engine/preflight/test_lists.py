import time

import pytest

from mmkd.engine.preflight.datasets import ListFormat, check_list
from mmkd.errors import UserError


@pytest.fixture
def check(tmp_path):
    """Check a list with these lines, where videos a.mp4 and d/b.mp4 exist."""
    videos = tmp_path / 'videos'
    (videos / 'd').mkdir(parents=True)
    (videos / 'a.mp4').touch()
    (videos / 'd' / 'b.mp4').touch()

    def run(text: str, **form) -> int:
        (tmp_path / 'list.txt').write_text(text)
        path = str(tmp_path / 'list.txt')
        return check_list(path, str(videos), ListFormat(**form), 'REMEDY')

    return run


@pytest.mark.parametrize(
    ('text', 'form', 'count'),
    [
        ('a.mp4 0\nd/b.mp4 1\n', {'num_classes': 2}, 2),
        ('a.mp4 -1\nd/b.mp4 7', {}, 2),
        ('a.mp4\n', {}, 1),
        ('a.mp4,0\n', {'delimiter': ',', 'num_classes': 1}, 1),
        ('a.mp4 0 2 1\n', {'multi_class': True, 'num_classes': 3}, 1),
    ],
)
def test_sound_lists(check, text, form, count):
    assert check(text, **form) == count


@pytest.mark.parametrize(
    ('text', 'form', 'message'),
    [
        ('', {}, 'list.txt is empty. REMEDY'),
        ('\n \n', {}, 'list.txt is empty. REMEDY'),
        ('a.mp4 0\n\nd/b.mp4 0\n', {}, 'line 2: expected "path label", found \'\''),
        ('a.mp4 0\nmy clip.mp4 0\n', {}, 'line 2: expected "path label", found \'my'),
        ('a.mp4 x\n', {}, "line 1: the label 'x' is not a whole number"),
        (
            'a.mp4 0\nd/b.mp4 2\n',
            {'num_classes': 2},
            'line 2: the class 2 is out of range (0 to 1). Correct the list or '
            'model.cls_head.num_classes.',
        ),
        ('a.mp4 -1\n', {'num_classes': 2}, 'line 1: the class -1 is out of range (0'),
        (
            'a.mp4\n',
            {'num_classes': 2},
            'line 1: the class -1 is out of range (0 to 1)',
        ),
        ('a.mp4 -2\n', {}, 'line 1: the class -2 is out of range (-1 or more)'),
        ('a.mp4 0 5\n', {'multi_class': True, 'num_classes': 3}, 'the class 5 is out'),
    ],
)
def test_a_wrong_line_is_named(check, text, form, message):
    with pytest.raises(UserError) as caught:
        check(text, **form)
    assert message in str(caught.value)


def test_missing_clips_are_counted_and_the_first_is_named(check):
    with pytest.raises(UserError) as caught:
        check('a.mp4 0\nd/c.mp4 0\n')
    message = str(caught.value)
    assert 'list.txt, line 2: ' in message
    assert 'c.mp4 of 2 clips does not' in message
    assert message.endswith('exist. REMEDY')
    with pytest.raises(
        UserError, match=r'line 1: .*z\.mp4 and 1 others of 3 clips do '
    ):
        check('z.mp4 0\na.mp4 0\ne/b.mp4 0\n')


@pytest.mark.parametrize('count', [19, 20, 40])
def test_asking_file_by_file_and_listing_agree(tmp_path, count):
    names = [f'{i}.mp4' for i in range(count)]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / 'list.txt').write_text(''.join(f'{name} 0\n' for name in names))
    path = str(tmp_path / 'list.txt')
    assert check_list(path, str(tmp_path), ListFormat()) == count
    (tmp_path / '7.mp4').unlink()
    with pytest.raises(UserError, match=r'line 8: .*7\.mp4'):
        check_list(path, str(tmp_path), ListFormat())


def test_a_long_list_is_quick(tmp_path):
    folders, each = 30, 100
    for folder in range(folders):
        (tmp_path / str(folder)).mkdir()
        for clip in range(each):
            (tmp_path / str(folder) / f'{clip}.mp4').touch()
    lines = [f'{f}/{c}.mp4 {f}\n' for f in range(folders) for c in range(each)]
    (tmp_path / 'list.txt').write_text(''.join(lines))
    start = time.process_time()
    path = str(tmp_path / 'list.txt')
    found = check_list(path, str(tmp_path), ListFormat(num_classes=folders))
    assert found == folders * each
    # An eightieth of Kinetics-400, which took 0.4 s of processor time altogether.
    assert time.process_time() - start < 0.2
