import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from mmkd.models.human_parsers.frame_fit import FrameFit, letterboxed, stretched
from mmkd.models.human_parsers.schp import official_fit

FITS = {
    'stretched': lambda frame: stretched(frame, (40, 24)),
    'letterboxed': lambda frame: letterboxed(frame, (40, 24)),
    'official': lambda frame: official_fit(frame, 32),
}
FRAMES = [(30, 50), (50, 30), (17, 90), (9, 9), (240, 130)]


def ramp(y: Tensor, x: Tensor) -> Tensor:
    """Return a plane over rows ``y`` and columns ``x``: bilinear reading is exact."""
    return (1 + 3 * y[:, None] + 2 * x[None])[None, None]


def ramp_frame(height: int, width: int) -> Tensor:
    return ramp(torch.arange(height).float(), torch.arange(width).float())


def cell_ramp(frame: tuple[int, int], cells: tuple[int, int]) -> Tensor:
    """Return the plane at the centres of the cells that divide a frame."""
    centres = [
        torch.tensor([(i + 0.5) * side / count - 0.5 for i in range(count)])
        for side, count in zip(frame, cells, strict=True)
    ]
    return ramp(*centres)


def inside(fit: FrameFit) -> tuple[slice, slice]:
    """Return the input pixels that lie fully within the frame."""
    result = []
    for axis in (fit.y, fit.x):
        last = axis.shift + (axis.frame - 1) * axis.scale
        # Halved frames know nothing of the outermost pixels' outer halves.
        rim = 2 / min(axis.scale, 1) * axis.scale
        result.append(
            slice(
                max(0, int(np.ceil(axis.shift + rim))),
                max(0, min(axis.input, int(last - rim) + 1)),
            )
        )
    return result[0], result[1]


@pytest.mark.parametrize('frame', FRAMES)
@pytest.mark.parametrize('name', FITS)
def test_input_pixels_show_their_coordinates(name: str, frame: tuple[int, int]) -> None:
    fit = FITS[name](frame)
    ours = fit.to_input(ramp_frame(*frame))
    assert ours.shape == (1, 1, fit.y.input, fit.x.input)
    coordinates = [
        (torch.arange(axis.input) - axis.shift) / axis.scale for axis in (fit.y, fit.x)
    ]
    rows, columns = inside(fit)
    expected = ramp(*coordinates)[..., rows, columns]
    torch.testing.assert_close(ours[..., rows, columns], expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('frame', FRAMES)
@pytest.mark.parametrize('nodes', ['cells', 'corners', 4.0])
@pytest.mark.parametrize('name', FITS)
def test_the_answer_comes_back_to_its_position(
    name: str, nodes: float | str, frame: tuple[int, int]
) -> None:
    fit = FITS[name](frame)
    coordinates = []
    for axis in (fit.y, fit.x):
        # Where in the input the scores of a network lie, by their convention.
        count = axis.input // 4
        spots = torch.arange(count).float()
        if nodes == 'cells':
            spots = (spots + 0.5) * axis.input / count - 0.5
        elif nodes == 'corners':
            spots = spots * (axis.input - 1) / (count - 1)
        else:
            spots = spots * nodes
        coordinates.append((spots - axis.shift) / axis.scale)
    ours = fit.to_frame(ramp(*coordinates), nodes, step=2)  # type: ignore[arg-type]
    cells = (ours.shape[-2], ours.shape[-1])
    for axis, count in zip((fit.y, fit.x), cells, strict=True):
        assert count == max(1, round(axis.frame * axis.scale / 2))
    expected = cell_ramp(frame, cells)
    # Where the network has no score beyond, the last one holds: leave the rim out.
    rim_y, rim_x = (3 if count > 6 else 0 for count in cells)
    middle = (
        ...,
        slice(rim_y, cells[0] - rim_y),
        slice(rim_x, cells[1] - rim_x),
    )
    if rim_y and rim_x:
        torch.testing.assert_close(ours[middle], expected[middle], rtol=1e-4, atol=5e-3)
    assert ours.min() >= ramp(*coordinates).min() - 1e-3
    assert ours.max() <= ramp(*coordinates).max() + 1e-3


@pytest.mark.parametrize('frame', [(30, 50), (50, 30), (48, 64)])
def test_official_fit_is_schps_warp(frame: tuple[int, int]) -> None:
    """Against OpenCV, from three points as the released code states them."""
    size, (height, width) = 64, frame
    longest = max(height, width) - 1
    centre = np.float32([(width - 1) / 2, (height - 1) / 2])
    down, right = np.float32([0, longest / 2]), np.float32([longest / 2, 0])
    middle = np.float32([size / 2, size / 2])
    matrix = cv2.getAffineTransform(
        np.stack([centre, centre + down, centre + right]),
        np.stack([middle, middle + [0, size / 2], middle + [size / 2, 0]]).astype('f4'),
    )
    y, x = np.mgrid[:height, :width]
    picture = 127 + 100 * np.sin(x / 9) * np.cos(y / 7)
    twin = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR)
    frames = torch.from_numpy(picture)[None, None]
    ours = official_fit(frame, size).to_input(frames)[0, 0].numpy()
    outside = np.abs(twin) < 1e-9
    assert 0.1 < outside.mean() < 0.6
    # OpenCV reads at 1/32 of a pixel; the picture's slope is at most 15 a pixel.
    difference = np.abs(ours - twin)
    rim = cv2.dilate(outside.astype('u1'), np.ones((5, 5))) > 0
    assert difference[~rim].max() < 15 / 32
    assert (ours[cv2.erode(outside.astype('u1'), np.ones((5, 5))) > 0] == 0).all()


def test_letterbox_keeps_the_aspect_ratio_and_is_black_outside() -> None:
    fit = letterboxed((20, 40), (40, 40))
    picture = fit.to_input(torch.ones(1, 1, 20, 40))[0, 0]
    assert fit.y.scale == fit.x.scale == 1
    assert picture[10:30].min() == pytest.approx(1, abs=1e-5)
    assert max(picture[:10].max(), picture[30:].max()) < 1e-5


def test_much_larger_frames_are_averaged_not_skipped() -> None:
    frame = torch.zeros(1, 1, 64, 64)
    frame[..., ::8, :] = 8.0  # a line in eight, which plain reading meets or misses
    ours = stretched((64, 64), (8, 8)).to_input(frame)
    assert ours[..., 1:-1, 1:-1].mean() == pytest.approx(1.0)
    assert ours[..., 1:-1, 1:-1].std() < 0.05
