"""Define label sets of human parsers: names, background, left-right pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmkd.errors import UserError

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class LabelSet:
    """The labels that a parser knows. Left and right are the person's own.

    Attributes:
        name: Key in :data:`LABEL_SETS`, or a name of the user's.
        labels: ``K`` names; a label's number is its index.
        swaps: Pairs of labels that are swapped when a frame is mirrored.
        background: Number of the background. Defaults to 0.

    Raises:
        UserError: If there are no labels or more than 255, or a number in ``swaps`` or
            ``background`` is not a label or swapped twice.
    """

    name: str
    labels: tuple[str, ...]
    swaps: Pairs = ()
    background: int = 0

    def __post_init__(self) -> None:
        # 255 is left free: it marks cells outside the frame.
        if not 1 <= len(self.labels) <= 255:
            raise UserError(
                f'label set {self.name!r} has {len(self.labels)} labels',
                'Give 1 to 255.',
            )
        swapped = [label for pair in self.swaps for label in pair]
        numbers = [*swapped, self.background]
        if not all(0 <= n < len(self.labels) for n in numbers):
            raise UserError(
                f'label set {self.name!r} names a label beyond its {len(self.labels)}',
                'Correct swaps or background.',
            )
        if len(set(swapped)) < len(swapped):
            raise UserError(f'label set {self.name!r} swaps a label twice')

    def __len__(self) -> int:
        return len(self.labels)

    def flip_table(self) -> NDArray[np.uint8]:
        """Return the label that each label becomes in a mirrored frame, ``(K,)``."""
        table = np.arange(len(self.labels), dtype=np.uint8)
        for left, right in self.swaps:
            table[left], table[right] = right, left
        return table


def _label_set(name: str, text: str) -> LabelSet:
    """Pair every label that has ``left`` in its name with its right-hand twin."""
    labels = tuple(text.split())
    twins = {n: x.replace('left', 'right') for n, x in enumerate(labels) if 'left' in x}
    return LabelSet(name, labels, tuple((n, labels.index(x)) for n, x in twins.items()))


# https://github.com/GoGoDuck912/Self-Correction-Human-Parsing (order of the data sets)
_LIP = """
background hat hair glove sunglasses upper_clothes dress coat socks pants jumpsuits
scarf skirt face left_arm right_arm left_leg right_leg left_shoe right_shoe
"""
_ATR = """
background hat hair sunglasses upper_clothes skirt pants dress belt left_shoe right_shoe
face left_leg right_leg left_arm right_arm bag scarf
"""
_PASCAL = """
background head torso upper_arms lower_arms upper_legs lower_legs
"""
# https://github.com/facebookresearch/sapiens (28 classes)
_SAPIENS = """
background apparel face_neck hair left_foot left_hand left_lower_arm left_lower_leg
left_shoe left_sock left_upper_arm left_upper_leg lower_clothing right_foot right_hand
right_lower_arm right_lower_leg right_shoe right_sock right_upper_arm right_upper_leg
torso upper_clothing lower_lip upper_lip lower_teeth upper_teeth tongue
"""
# https://github.com/keijiro/BodyPixSentis (Common.hlsl); the background is ours.
_BODYPIX = """
background left_face right_face
left_upper_arm_front left_upper_arm_back right_upper_arm_front right_upper_arm_back
left_lower_arm_front left_lower_arm_back right_lower_arm_front right_lower_arm_back
left_hand right_hand torso_front torso_back
left_upper_leg_front left_upper_leg_back right_upper_leg_front right_upper_leg_back
left_lower_leg_front left_lower_leg_back right_lower_leg_front right_lower_leg_back
left_foot right_foot
"""
# https://cocodataset.org (person keypoints); the background is ours.
_COCO = """
background nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder
left_elbow right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee
left_ankle right_ankle
"""
# Those of mmkd/commands/prepare/synthetic, which imports what is here.
_SYNTHETIC = """
background head torso left_upper_arm right_upper_arm left_lower_arm right_lower_arm
left_hand right_hand left_upper_leg right_upper_leg left_lower_leg right_lower_leg
left_foot right_foot
"""

LABEL_SETS: dict[str, LabelSet] = {
    name: _label_set(name, text)
    for name, text in (
        ('lip', _LIP),
        ('atr', _ATR),
        ('pascal_person_part', _PASCAL),
        ('sapiens', _SAPIENS),
        ('bodypix', _BODYPIX),
        ('coco_keypoints', _COCO),
        ('synthetic', _SYNTHETIC),
    )
}


def get_label_set(name: str) -> LabelSet:
    """Return a label set by name."""
    if name not in LABEL_SETS:
        raise UserError(
            f'there is no label set {name!r}', f'Take one of: {", ".join(LABEL_SETS)}.'
        )
    return LABEL_SETS[name]


def as_label_set(description: str | Mapping[str, Any]) -> LabelSet:
    """Return a label set by name, or one that a config describes.

    Args:
        description: A name, or ``dict(name=..., labels=[...], swaps=[(4, 5)])`` with
            the arguments of :class:`LabelSet`.

    Raises:
        UserError: If there is none of that name, or the description is no label set.
    """
    if isinstance(description, str):
        return get_label_set(description)
    fields = dict(description)
    try:
        fields['labels'] = tuple(fields['labels'])
        fields['swaps'] = tuple((int(a), int(b)) for a, b in fields.get('swaps', ()))
        return LabelSet(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'a label set cannot be made of {dict(description)} ({error})',
            'Give name, labels and perhaps swaps and background.',
        ) from error
