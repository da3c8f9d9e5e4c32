"""Name the body parts, and draw a dressed figure with them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmkd.commands.prepare.synthetic.canvas import Canvas, Colour, draw_colour
from mmkd.commands.prepare.synthetic.skeleton import Array, Body

SIDES = ('left', 'right')
LIMB_JOINTS = {
    'upper_arm': ('shoulder', 'elbow', 0.042, 0.034),
    'lower_arm': ('elbow', 'wrist', 0.034, 0.024),
    'hand': ('wrist', 'hand', 0.028, 0.024),
    'upper_leg': ('hip', 'knee', 0.060, 0.044),
    'lower_leg': ('knee', 'ankle', 0.044, 0.030),
    'foot': ('ankle', 'toe', 0.032, 0.024),
}
"""First and last joint of each part and their radii in figure heights."""
TRUNK_JOINTS = ('left_shoulder', 'right_shoulder', 'right_hip', 'left_hip')
TRUNK_RADII = np.array([0.045, 0.045, 0.060, 0.060])
PART_NAMES = (
    'background',
    'head',
    'torso',
    *(f'{side}_{part}' for part in LIMB_JOINTS for side in SIDES),
)
PART_IDS = {name: number for number, name in enumerate(PART_NAMES)}


def flip_table() -> list[int]:
    """Return the label that each label becomes when a map is mirrored, ``(15,)``.

    Left and right are those of the figure, not of the viewer.
    """
    swap = {'left': 'right', 'right': 'left'}
    sides = [name.partition('_') for name in PART_NAMES]
    return [PART_IDS[''.join((swap.get(side, side), *rest))] for side, *rest in sides]


def parts_description() -> dict[str, Any]:
    """Return the content of ``maps/parts.json``: format, names and mirror table."""
    return {
        'format': 'one .npz per video; array "maps", uint8, (T, H, W), one map a frame',
        'names': list(PART_NAMES),
        'flip': flip_table(),
        'sides': "left and right are the figure's own",
        'occluders': 'labelled as background',
    }


@dataclass(frozen=True)
class Outfit:
    """Clothes of a figure; colours are RGB in [0, 255]."""

    colours: dict[str, Colour]  # colour of every part, by its name without the side
    hair: Colour
    trim: Colour  # second colour, of the stripes
    stripes: int  # number of stripes across trunk and sleeves; 0 for plain cloth


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Draw skin, hair, shirt (short or long), trousers (short or long) and shoes."""
    tone = rng.uniform(0.35, 1.0)
    skin = (235.0 * tone, 190.0 * tone, 160.0 * tone)
    hair = rng.uniform(0.1, 0.8) * np.array([220.0, 170.0, 110.0])
    shirt, trousers, shoes, trim = (draw_colour(rng) for _ in range(4))
    long_sleeves, long_trousers = rng.random(2) < 0.55
    return Outfit(
        colours={
            'head': skin,
            'torso': shirt,
            'upper_arm': shirt,
            'lower_arm': shirt if long_sleeves else skin,
            'hand': skin,
            'upper_leg': trousers,
            'lower_leg': trousers if long_trousers else skin,
            'foot': shoes,
        },
        hair=(float(hair[0]), float(hair[1]), float(hair[2])),
        trim=trim,
        stripes=int(rng.choice([0, 0, 2, 3, 4])),
    )


@dataclass(frozen=True)
class Figure:
    """A figure ready to be drawn."""

    pixels: dict[str, Array]  # position of each joint in the picture, (T, 2), in pixels
    depth: dict[str, Array]  # how near each joint is to the viewer, (T,)
    scale: Array  # pixels to one figure height, (T,)
    body: Body
    outfit: Outfit
    light: Array  # direction of the light in the picture plane, (2,)

    def draw(self, canvas: Canvas, frame: int) -> None:
        """Draw the figure of one frame, far parts first."""
        joints: dict[tuple[str, str], tuple[str, ...]] = {
            ('', 'torso'): TRUNK_JOINTS,
            ('', 'head'): ('head',),
        }
        for part, (first, last, *_) in LIMB_JOINTS.items():
            for side in SIDES:
                joints[f'{side}_', part] = (f'{side}_{first}', f'{side}_{last}')

        def nearness(part: tuple[str, str]) -> float:
            return float(np.mean([self.depth[name][frame] for name in joints[part]]))

        for side, part in sorted(joints, key=nearness):
            if part == 'torso':
                self._draw_trunk(canvas, frame)
            elif part == 'head':
                self._draw_head(canvas, frame)
            else:
                self._draw_limb(canvas, side, part, frame)

    def _points(self, names: tuple[str, ...], frame: int) -> Array:
        return np.stack([self.pixels[name][frame] for name in names])

    def _draw_limb(self, canvas: Canvas, side: str, part: str, frame: int) -> None:
        first, last, *radii = LIMB_JOINTS[part]
        points = self._points((side + first, side + last), frame)
        thick = np.array(radii) * self.body.girth * self.scale[frame]
        label = PART_IDS[side + part]
        canvas.shape(points, thick, self.outfit.colours[part], label, self.light)
        if part == 'upper_arm' and self.outfit.stripes:
            half = 0.8 * float(thick.min())
            canvas.stripes(points, half, 2, self.outfit.trim, label)

    def _draw_trunk(self, canvas: Canvas, frame: int) -> None:
        points = self._points(TRUNK_JOINTS, frame)
        thick = TRUNK_RADII * self.body.girth * self.scale[frame]
        label = PART_IDS['torso']
        canvas.shape(points, thick, self.outfit.colours['torso'], label, self.light)
        if not self.outfit.stripes:
            return
        axis = np.stack([points[:2].mean(axis=0), points[2:].mean(axis=0)])
        widths = np.hypot(*(points[[0, 3]] - points[[1, 2]]).T)
        half = float(np.min(0.5 * widths + 0.7 * thick[[0, 3]]))
        canvas.stripes(axis, half, self.outfit.stripes, self.outfit.trim, label)

    def _draw_head(self, canvas: Canvas, frame: int) -> None:
        """Draw neck, hair and face; from behind, the hair hides the face."""
        label, scale = PART_IDS['head'], self.scale[frame]
        radius = np.array([self.body.head * scale])
        neck, head = self._points(('neck', 'head'), frame)
        skin = self.outfit.colours['head']
        neck_width = np.full(2, 0.026 * scale)
        canvas.shape(np.stack([neck, head]), neck_width, skin, label, self.light)
        gaze = self._gaze(frame)
        back = head - 0.35 * radius * gaze[:2] - (0, 0.15 * radius[0])
        face = head + 0.2 * radius * gaze[:2] + (0, 0.2 * radius[0])
        layers = [(back, 1.05 * radius, self.outfit.hair), (face, 0.85 * radius, skin)]
        for centre, size, colour in layers if gaze[2] > -0.3 else layers[::-1]:
            canvas.shape(centre[None], size, colour, label, self.light)

    def _gaze(self, frame: int) -> Array:
        """Return the direction of the face: square to the line of the shoulders."""
        left, right = (
            np.append(self.pixels[n][frame] / self.scale[frame], self.depth[n][frame])
            for n in ('left_shoulder', 'right_shoulder')
        )
        x, _, z = left - right
        ahead: Array = np.array([-z, 0.0, x]) / max(float(np.hypot(x, z)), 1e-6)
        return ahead
