import pytest

from mmkd.commands.prepare.official_lists import Entry
from mmkd.commands.prepare.ucf_hmdb import read_hmdb51
from mmkd.errors import UserError
from tests.commands.prepare.trees import write_hmdb51
from tests.shared_files import shared_path

ODD_NAME = '[x]_(a)!;~.avi'


@pytest.fixture(scope='module')
def official():
    return read_hmdb51(shared_path('data/lists/hmdb51'))


def test_official_counts(official):
    assert [(part.name, len(part.entries)) for part in official.lists] == [
        ('train_split1', 3570),
        ('test_split1', 1530),
        ('train_split2', 3570),
        ('test_split2', 1530),
        ('train_split3', 3570),
        ('test_split3', 1530),
    ]


def test_every_class_has_70_and_30_videos(official):
    for part in official.lists:
        labels = [entry.label for entry in part.entries]
        each = 30 if part.evaluation else 70
        assert [labels.count(label) for label in range(51)] == [each] * 51


def test_official_classes_are_those_of_mmaction2(official):
    label_map = shared_path('data/lists/label_maps/label_map_hmdb51.txt')
    assert list(official.classes) == label_map.read_text().split()


def test_official_odd_names_come_through(official):
    names = {path.rpartition('/')[2] for path in official.paths()}
    assert all(sign in ''.join(names) for sign in '[]()!;')
    assert not any(name != name.strip() for name in names)


def test_flags_and_trailing_blanks(tmp_path):
    lines = f'{ODD_NAME} 1 \nb.avi 2 \nc.avi 0 \n'
    plan = read_hmdb51(write_hmdb51(tmp_path, lines))
    train, test = plan.lists[:2]
    assert train.entries[3] == Entry(f'c03/{ODD_NAME}', 3)
    assert test.entries[50] == Entry('c50/b.avi', 50)
    assert len(plan.paths()) == 2 * 51


def test_a_missing_file_is_named(tmp_path):
    (write_hmdb51(tmp_path) / 'c07_test_split2.txt').unlink()
    with pytest.raises(UserError, match=r'c07_test_split2\.txt is not there'):
        read_hmdb51(tmp_path)


def test_a_missing_class_would_move_labels_and_is_refused(tmp_path):
    write_hmdb51(tmp_path)
    for split in (1, 2, 3):
        (tmp_path / f'c07_test_split{split}.txt').unlink()
    with pytest.raises(UserError, match='50 classes instead of 51'):
        read_hmdb51(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r'nowhere is not a folder.*--annotations'):
        read_hmdb51(tmp_path / 'nowhere')


@pytest.mark.parametrize('line', ['a.avi', 'a.avi 3', 'a b.avi 1'])
def test_a_bad_line_is_named(tmp_path, line):
    write_hmdb51(tmp_path)
    (tmp_path / 'c02_test_split3.txt').write_text(f'a.avi 1 \n{line} \n')
    with pytest.raises(UserError, match=r'c02_test_split3\.txt:2: '):
        read_hmdb51(tmp_path)
