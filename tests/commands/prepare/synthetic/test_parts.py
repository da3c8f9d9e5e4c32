from mmkd.commands.prepare.synthetic.figure import (
    PART_NAMES,
    flip_table,
    parts_description,
)


def test_flip_swaps_left_and_right_by_name():
    swap = {'left': 'right', 'right': 'left'}
    for old, new in enumerate(flip_table()):
        side, _, rest = PART_NAMES[old].partition('_')
        twin = f'{swap[side]}_{rest}' if side in swap else PART_NAMES[old]
        assert PART_NAMES[new] == twin


def test_description_matches_the_names():
    description = parts_description()
    assert description['names'][:3] == ['background', 'head', 'torso']
    assert len(description['names']) == len(description['flip']) == 15
