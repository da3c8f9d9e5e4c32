import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.figure import PART_NAMES, flip_table
from mmkd.errors import UserError
from mmkd.part_labels import LABEL_SETS, LabelSet, get_label_set

SIZES = {
    'lip': 20,
    'atr': 18,
    'pascal_person_part': 7,
    'sapiens': 28,
    'bodypix': 25,
    'coco_keypoints': 18,
    'synthetic': 15,
}
# As published, without the background that is ours (BodyPix, COCO: one lower).
PUBLISHED_SWAPS = {
    'lip': ((14, 15), (16, 17), (18, 19)),
    'atr': ((9, 10), (12, 13), (14, 15)),
    'pascal_person_part': (),
    'sapiens': tuple((left, left + 9) for left in range(4, 12)),
    'bodypix': (
        *((0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (10, 11)),
        *((14, 16), (15, 17), (18, 20), (19, 21), (22, 23)),
    ),
    'coco_keypoints': tuple((left, left + 1) for left in range(1, 17, 2)),
}


def test_sizes_and_backgrounds() -> None:
    assert {name: len(labels) for name, labels in LABEL_SETS.items()} == SIZES
    for labels in LABEL_SETS.values():
        assert labels.labels[labels.background] == 'background'
        assert len(set(labels.labels)) == len(labels)


@pytest.mark.parametrize('name', PUBLISHED_SWAPS)
def test_swaps_are_the_published_ones(name: str) -> None:
    added = int(name in ('bodypix', 'coco_keypoints'))
    expected = tuple((a + added, b + added) for a, b in PUBLISHED_SWAPS[name])
    assert get_label_set(name).swaps == expected


def test_the_synthetic_set_is_the_data_sets_own() -> None:
    labels = get_label_set('synthetic')
    assert labels.labels == PART_NAMES
    assert labels.flip_table().tolist() == flip_table()


@pytest.mark.parametrize('name', SIZES)
def test_two_flips_are_none_and_exchange_left_and_right(name: str) -> None:
    labels = get_label_set(name)
    table = labels.flip_table()
    assert table.dtype == np.uint8
    np.testing.assert_array_equal(table[table], np.arange(len(labels)))
    exchange = str.maketrans({'<': '>', '>': '<'})
    for label, mirrored in zip(labels.labels, table, strict=True):
        signs = label.replace('left', '<').replace('right', '>')
        back = signs.translate(exchange).replace('<', 'left').replace('>', 'right')
        assert labels.labels[mirrored] == back


def test_what_is_no_label_set_is_refused() -> None:
    with pytest.raises(UserError, match=r"no label set 'voc'\. Take one of: lip, atr"):
        get_label_set('voc')
    with pytest.raises(UserError, match='beyond its 2'):
        LabelSet('mine', ('background', 'person'), ((1, 2),))
    with pytest.raises(UserError, match='beyond its 1'):
        LabelSet('mine', ('person',), background=1)
    with pytest.raises(UserError, match='swaps a label twice'):
        LabelSet('mine', ('a', 'b', 'c'), ((0, 1), (1, 2)))
    with pytest.raises(UserError, match='has 256 labels'):
        LabelSet('mine', tuple(map(str, range(256))))
