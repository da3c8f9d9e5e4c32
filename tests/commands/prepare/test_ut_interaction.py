import pytest

from mmkd.commands.prepare.ut_interaction import read_ut_interaction
from mmkd.errors import UserError
from tests.commands.prepare.trees import make_empty
from tests.shared_files import shared_path


@pytest.fixture(scope='module')
def official():
    plan = read_ut_interaction(shared_path('data/ut_interaction'))
    return {part.name: part for part in plan.lists}


def sequences(part):
    return {int(entry.path.split('_')[-2]) for entry in part.entries}


def test_sets(official):
    names = ('set1', 'set2', 'set1_other', 'pretrain')
    assert [len(official[name].entries) for name in names] == [60, 60, 98, 158]
    for name in ('set1', 'set2'):
        labels = [entry.label for entry in official[name].entries]
        assert [labels.count(label) for label in range(6)] == [10] * 6
    for name in ('set1_other', 'pretrain'):
        assert {entry.label for entry in official[name].entries} == {-1}
    assert {name for name, part in official.items() if part.evaluation} == {
        'set2',
        *(f'fold{k}_test' for k in range(1, 6)),
    }


def test_pretraining_leaves_set2_unseen(official):
    folders = {entry.path.partition('/')[0] for entry in official['pretrain'].entries}
    assert folders == {'set1', 'set1_other'}


@pytest.mark.parametrize('fold', range(1, 6))
def test_folds_hold_out_whole_sequences(official, fold):
    train, test = official[f'fold{fold}_train'], official[f'fold{fold}_test']
    assert (len(train.entries), len(test.entries)) == (96, 24)
    assert sequences(test) == set(range(4 * fold - 3, 4 * fold + 1))
    assert sequences(train) == set(range(1, 21)) - sequences(test)
    labels = [entry.label for entry in test.entries]
    assert [labels.count(label) for label in range(6)] == [4] * 6


def test_without_a_table_the_names_say_the_same(official, tmp_path):
    make_empty(tmp_path, [entry.path for entry in official['set1'].entries])
    make_empty(tmp_path, ['set2/notes_1.avi', 'set2/7_11_6.avi', 'set3/1_1_1.avi'])
    lists = {part.name: part for part in read_ut_interaction(tmp_path).lists}
    assert set(lists['set1'].entries) == set(official['set1'].entries)
    assert lists['set2'].entries == ()


def write_table(folder, row):
    header = 'path,set,clip,sequence,label,name'
    text = f'{header}\nset1/0_1_4.avi,set1,0,1,4,punching\n{row}\n'
    (folder / 'labels.csv').write_text(text)


@pytest.mark.parametrize(
    ('row', 'what'),
    [
        ('set1/1_1_2.avi,set1,1,1,3,kicking', 'label 3, but the name'),
        ('set1/1_1.avi,set1,1,1,2,kicking', 'is not <set>/<clip>'),
        ('set1/1_1_6.avi,set1,1,1,6,other', 'is not <set>/<clip>'),
        ('set4/1_1_2.avi,set4,1,1,2,kicking', 'is not <set>/<clip>'),
        ('set1/1_1_2.avi', 'no value for label'),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, what):
    write_table(tmp_path, row)
    with pytest.raises(UserError, match=rf'labels\.csv:3: .*{what}'):
        read_ut_interaction(tmp_path)


def test_an_empty_folder_says_what_is_expected(tmp_path):
    with pytest.raises(UserError, match=r'no clip such as set1/0_1_4\.avi.*--videos'):
        read_ut_interaction(tmp_path)
