import pytest

from mmkd.commands.prepare.kinetics import read_kinetics100
from mmkd.commands.prepare.official_lists import Entry
from mmkd.errors import UserError
from tests.shared_files import shared_path


def test_official_list():
    plan = read_kinetics100(shared_path('data/lists/kinetics/k100.list'))
    (train,) = plan.lists
    assert train.name == 'train'
    assert len(plan.paths()) == len(train.entries) == 32552
    assert len(plan.classes) == 100
    assert (plan.classes[0], plan.classes[-1]) == ('answering_questions', 'yawning')
    first = 'playing_piano/JAs8e3NTz3Y_000020_000030.mp4'
    assert train.entries[0] == Entry(first, plan.classes.index('playing_piano'))
    labels = [entry.label for entry in train.entries]
    assert labels.count(plan.classes.index('stretching_leg')) == 654
    assert labels.count(plan.classes.index('tying_bow_tie')) == 215


def test_official_classes_are_kinetics_400_classes():
    plan = read_kinetics100(shared_path('data/lists/kinetics/k100.list'))
    label_map = shared_path('data/lists/label_maps/label_map_k400.txt')
    k400 = set(label_map.read_text().splitlines())
    assert {name.replace('_', ' ') for name in plan.classes} <= k400


def test_a_short_list_is_told(tmp_path):
    path = tmp_path / 'k100.list'
    path.write_text('b/y_000000_000010 300\na/x_000000_000010 250\n')
    plan = read_kinetics100(path)
    assert plan.classes == ('a', 'b')
    assert [entry.label for entry in plan.lists[0].entries] == [1, 0]
    assert any('2 classes instead of 100' in note for note in plan.notes)


@pytest.mark.parametrize('line', ['a/x', 'x 300', 'a/x many', 'a/x 1 300', '/x 300'])
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / 'k100.list'
    path.write_text(f'a/x 300\n{line}\n')
    with pytest.raises(UserError, match=r'k100\.list:2: '):
        read_kinetics100(path)


def test_a_missing_list_says_where_to_take_it(tmp_path):
    with pytest.raises(UserError, match=r'is not there\. Take auxSKD/list/k100\.list'):
        read_kinetics100(tmp_path / 'k100.list')
