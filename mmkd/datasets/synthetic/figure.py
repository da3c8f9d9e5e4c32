"""Drawing a dressed figure and its body parts (ours)."""

from dataclasses import dataclass

import numpy as np

from mmkd.datasets.synthetic.canvas import Canvas
from mmkd.datasets.synthetic.outfit import Outfit
from mmkd.datasets.synthetic.parts import LIMB_PARTS, PART_IDS, SIDES
from mmkd.datasets.synthetic.skeleton import Array, Body

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


@dataclass(frozen=True)
class Figure:
    """A figure ready to be drawn.

    Args:
        pixels: Position of each joint in the picture, ``(T, 2)``, in pixels.
        depth: How near each joint is to the viewer, ``(T,)``.
        scale: Pixels to one figure height, ``(T,)``.
        body: Its proportions.
        outfit: Its clothes.
        light: Direction of the light in the picture plane, ``(2,)``.
    """

    pixels: dict[str, Array]
    depth: dict[str, Array]
    scale: Array
    body: Body
    outfit: Outfit
    light: Array

    def draw(self, canvas: Canvas, frame: int) -> None:
        """Draw the figure of one frame, far parts first."""
        parts = [('', 'torso'), ('', 'head')]
        parts += [(f'{side}_', part) for part in LIMB_PARTS for side in SIDES]
        parts.sort(key=lambda named: self._nearness(named[0], named[1], frame))
        for side, part in parts:
            if part == 'torso':
                self._draw_trunk(canvas, frame)
            elif part == 'head':
                self._draw_head(canvas, frame)
            else:
                self._draw_limb(canvas, side, part, frame)

    def _nearness(self, side: str, part: str, frame: int) -> float:
        if part == 'torso':
            names: tuple[str, ...] = TRUNK_JOINTS
        elif part == 'head':
            names = ('head',)
        else:
            names = tuple(side + joint for joint in LIMB_JOINTS[part][:2])
        return float(np.mean([self.depth[name][frame] for name in names]))

    def _points(self, names: tuple[str, ...], frame: int) -> Array:
        return np.stack([self.pixels[name][frame] for name in names])

    def _draw_limb(self, canvas: Canvas, side: str, part: str, frame: int) -> None:
        first, last, *radii = LIMB_JOINTS[part]
        points = self._points((side + first, side + last), frame)
        thick = np.array(radii) * self.body.girth * self.scale[frame]
        colour = self.outfit.colours[part]
        label = PART_IDS[side + part]
        canvas.shape(points, thick, colour, label, self.light)
        if part == 'upper_arm' and self.outfit.stripes:
            half = 0.8 * float(thick.min())
            canvas.stripes(points, half, 2, self.outfit.trim, label)

    def _draw_trunk(self, canvas: Canvas, frame: int) -> None:
        points = self._points(TRUNK_JOINTS, frame)
        thick = TRUNK_RADII * self.body.girth * self.scale[frame]
        colour = self.outfit.colours['torso']
        label = PART_IDS['torso']
        canvas.shape(points, thick, colour, label, self.light)
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
        layers = [
            (back, 1.05 * radius, self.outfit.hair),
            (
                head + 0.2 * radius * gaze[:2] + (0, 0.2 * radius[0]),
                0.85 * radius,
                skin,
            ),
        ]
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
