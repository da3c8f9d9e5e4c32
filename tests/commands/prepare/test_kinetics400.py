import pytest

from mmkd.commands.prepare.kinetics import read_kinetics400
from mmkd.commands.prepare.official_lists import Entry
from mmkd.errors import UserError
from tests.shared_files import shared_path

HEADER = 'label,youtube_id,time_start,time_end,split,is_cc\n'
ROWS = '"air drumming",_a,26,36,train,0\nabseiling,-b,7,17,train,0\n'


def write(path, rows=ROWS, header=HEADER):
    path.write_text(header + rows)
    return path


@pytest.fixture
def train(tmp_path):
    return write(tmp_path / 'train.csv')


def test_official_form():
    plan = read_kinetics400(
        shared_path('data/lists/kinetics/tiny_train.csv'),
        shared_path('data/lists/kinetics/tiny_val.csv'),
    )
    label_map = shared_path('data/lists/label_maps/label_map_k400.txt')
    assert list(plan.classes) == label_map.read_text().splitlines()
    assert [(p.name, len(p.entries), p.evaluation) for p in plan.lists] == [
        ('train', 400, False),
        ('val', 400, True),
    ]
    drumming = Entry('air drumming/_axE99QAhe8_000026_000036.mp4', 1)
    assert plan.lists[0].entries[1] == drumming
    assert plan.lists[1].entries[0].path == 'abseiling/-3B32lodo2M_000059_000069.mp4'
    assert plan.notes == ()


def test_the_label_is_the_index_of_the_sorted_name(train):
    plan = read_kinetics400(train)
    assert plan.classes == ('abseiling', 'air drumming')
    assert [entry.label for entry in plan.lists[0].entries] == [1, 0]
    assert plan.notes == ('2 classes instead of 400',)


def test_a_label_map_decides(train, tmp_path):
    label_map = tmp_path / 'map.txt'
    label_map.write_text('zumba\nair drumming\nabseiling\n')
    plan = read_kinetics400(train, label_map=label_map)
    assert [entry.label for entry in plan.lists[0].entries] == [1, 2]


def test_a_class_outside_the_label_map_is_named(train, tmp_path):
    label_map = tmp_path / 'map.txt'
    label_map.write_text('air drumming\n')
    with pytest.raises(UserError, match=r"train\.csv:3: class 'abseiling' is not in"):
        read_kinetics400(train, label_map=label_map)


def test_a_label_map_with_a_class_twice_is_refused(train, tmp_path):
    label_map = tmp_path / 'map.txt'
    label_map.write_text('abseiling\nair drumming\nabseiling\n')
    with pytest.raises(UserError, match='has a class twice'):
        read_kinetics400(train, label_map=label_map)


def test_a_validation_class_without_training_clips_is_named(train, tmp_path):
    val = write(tmp_path / 'val.csv', 'zumba,c,0,10,validate,0\n')
    with pytest.raises(UserError, match=r"val\.csv:2: class 'zumba'"):
        read_kinetics400(train, val)


def test_interchanged_files_are_refused(train, tmp_path):
    with pytest.raises(UserError, match=r"train\.csv:2: split 'train' in the file"):
        read_kinetics400(train, train)


@pytest.mark.parametrize(
    ('row', 'what'),
    [
        ('abseiling,b,x,17,train,0', 'a time is not a number'),
        ('abseiling,b', 'no value for time_start'),
        (',b,1,2,train,0', 'no value for label'),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, what):
    path = write(tmp_path / 'train.csv', f'{ROWS}{row}\n')
    with pytest.raises(UserError, match=rf'train\.csv:4: {what}'):
        read_kinetics400(path)


def test_a_bad_header_is_named(tmp_path):
    path = write(tmp_path / 'train.csv', header='label,id,time_start,time_end\n')
    with pytest.raises(UserError, match=r'train\.csv:1: the header lacks youtube_id'):
        read_kinetics400(path)
