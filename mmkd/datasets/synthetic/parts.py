"""Names of the body parts in the label maps, and which ones a mirror swaps (ours)."""

from typing import Any

SIDES = ('left', 'right')
LIMB_PARTS = ('upper_arm', 'lower_arm', 'hand', 'upper_leg', 'lower_leg', 'foot')
PART_NAMES = (
    'background',
    'head',
    'torso',
    *(f'{side}_{part}' for part in LIMB_PARTS for side in SIDES),
)
PART_IDS = {name: number for number, name in enumerate(PART_NAMES)}
SWAPPED_PAIRS = tuple(
    (PART_IDS[f'left_{part}'], PART_IDS[f'right_{part}']) for part in LIMB_PARTS
)


def flip_table() -> list[int]:
    """Return the label that each label becomes when a map is mirrored, ``(15,)``.

    Left and right are those of the figure, not of the viewer.
    """
    table = list(range(len(PART_NAMES)))
    for left, right in SWAPPED_PAIRS:
        table[left], table[right] = right, left
    return table


def parts_description() -> dict[str, Any]:
    """Return the content of ``maps/parts.json``: format, names and mirror table."""
    return {
        'format': 'one .npz per video; array "maps", uint8, (T, H, W), one map a frame',
        'names': list(PART_NAMES),
        'flip': flip_table(),
        'sides': "left and right are the figure's own",
        'occluders': 'labelled as background',
    }
