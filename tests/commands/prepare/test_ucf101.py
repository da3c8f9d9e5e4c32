import pytest

from mmkd.commands.prepare.official_lists import Entry
from mmkd.commands.prepare.ucf_hmdb import read_ucf101
from mmkd.errors import UserError
from tests.commands.prepare.trees import write_ucf101
from tests.shared_files import shared_path

TRAIN = 'Alpha/v_Alpha_g01_c01.avi 1\nBeta/v_Beta_g01_c01.avi 2\n'
TEST = 'Beta/v_Beta_g02_c01.avi\n'


@pytest.fixture(scope='module')
def official():
    return read_ucf101(shared_path('data/lists/ucf101'))


def test_official_counts(official):
    sizes = {part.name: len(part.entries) for part in official.lists}
    assert sizes == {
        'train_split1': 9537,
        'test_split1': 3783,
        'train_split2': 9586,
        'test_split2': 3734,
        'train_split3': 9624,
        'test_split3': 3696,
    }
    assert len(official.paths()) == 13320
    assert {p.name for p in official.lists if p.evaluation} == {
        'test_split1',
        'test_split2',
        'test_split3',
    }


def test_official_splits_share_no_group(official):
    def groups(part):
        return {entry.path.rpartition('_c')[0] for entry in part.entries}

    for train, test in zip(official.lists[::2], official.lists[1::2], strict=True):
        assert groups(train).isdisjoint(groups(test))


def test_official_classes_are_those_of_mmaction2(official):
    label_map = shared_path('data/lists/label_maps/label_map_ucf101.txt')
    assert list(official.classes) == label_map.read_text().split()


def test_real_clips_have_labels_0_6_and_7(official):
    lists = {part.name: dict(map(astuple, part.entries)) for part in official.lists}
    labels = {
        'ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi': 0,
        'BaseballPitch/v_BaseballPitch_g01_c01.avi': 6,
        'Basketball/v_Basketball_g01_c01.avi': 7,
    }
    for name in ('test_split1', 'train_split2', 'train_split3'):
        assert {path: lists[name][path] for path in labels} == labels
    assert lists['train_split1'].keys().isdisjoint(labels)


def astuple(entry):
    return entry.path, entry.label


def test_the_class_is_that_of_the_folder(official):
    label = official.classes.index('HandstandPushups')
    entries = [
        entry
        for part in official.lists
        for entry in part.entries
        if '/v_HandStandPushups_' in entry.path
    ]
    assert len(entries) == 384
    assert {entry.label for entry in entries} == {label}


def test_crlf_does_not_reach_paths_or_labels(tmp_path):
    plan = read_ucf101(write_ucf101(tmp_path, TRAIN, TEST))
    assert plan.classes == ('Alpha', 'Beta')
    assert plan.lists[0].entries == (
        Entry('Alpha/v_Alpha_g01_c01.avi', 0),
        Entry('Beta/v_Beta_g01_c01.avi', 1),
    )
    assert plan.lists[1].entries == (Entry('Beta/v_Beta_g02_c01.avi', 1),)


@pytest.mark.parametrize(
    ('train', 'line', 'what'),
    [
        ('Alpha/a.avi 1\nAlpha/b.avi\n', 2, "found 'Alpha/b.avi'"),
        ('Alpha/a.avi 1 1\n', 1, "found 'Alpha/a.avi 1 1'"),
        ('Alpha/a.avi 1\n\nGamma/b.avi 1\n', 3, "'Gamma' is not a class"),
        ('Alpha/a.avi 2\n', 1, 'label 2, but Alpha is class 1'),
        ('Alpha/a.avi 0\n', 1, 'label 0, but Alpha is class 1'),
    ],
)
def test_a_bad_line_is_named(tmp_path, train, line, what):
    with pytest.raises(UserError) as error:
        read_ucf101(write_ucf101(tmp_path, train, TEST))
    assert f'trainlist01.txt:{line}: ' in str(error.value)
    assert what in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    (write_ucf101(tmp_path, TRAIN, TEST) / 'testlist03.txt').unlink()
    with pytest.raises(UserError, match=r'testlist03\.txt is not there.*--annotations'):
        read_ucf101(tmp_path)


@pytest.mark.parametrize('text', ['0 Alpha\n1 Beta\n', '1 Alpha\n2 Alpha\n'])
def test_class_indices_must_be_1_2_3(tmp_path, text):
    write_ucf101(tmp_path, TRAIN, TEST)
    (tmp_path / 'classInd.txt').write_text(text)
    with pytest.raises(UserError, match=r'classInd\.txt:\d: expected index'):
        read_ucf101(tmp_path)
