import math

import numpy as np
import pytest
import torch

from mmkd.models.human_parsers.keypoints import render_keypoints


def slow(
    points: np.ndarray, scores: np.ndarray, frame: tuple[int, int], size: int
) -> np.ndarray:
    """Draw cell by cell, with a standard deviation of a tenth of the longer side."""
    frames, persons, joints = scores.shape
    maps = np.zeros((frames, joints, size, size))
    sigma = 0.1 * max(frame)
    for f, p, j, row, column in np.ndindex(frames, persons, joints, size, size):
        y = (row + 0.5) * frame[0] / size - 0.5
        x = (column + 0.5) * frame[1] / size - 0.5
        distance = math.dist((x, y), points[f, p, j])
        bell = scores[f, p, j] * math.exp(-(distance**2) / (2 * sigma**2))
        maps[f, j, row, column] = max(maps[f, j, row, column], bell)
    return maps


@pytest.mark.parametrize('frame', [(20, 40), (40, 20), (31, 31)])
def test_against_a_slow_twin(frame: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-5, 45, (2, 3, 4, 2))
    scores = rng.uniform(0, 1, (2, 3, 4))
    ours = render_keypoints(
        torch.from_numpy(points), torch.from_numpy(scores), frame, 7, 0.1
    )
    np.testing.assert_allclose(ours, slow(points, scores, frame, 7), atol=1e-9)


def test_a_joint_lies_where_it_is_in_the_frame() -> None:
    """The peak of a joint in pixel (x, y) is in the cell that holds the pixel."""
    height, width, size = 120, 200, 20
    for x, y in [(3, 2), (150, 100), (199, 119), (0, 60)]:
        points = torch.tensor([[[[float(x), float(y)]]]])
        maps = render_keypoints(
            points, torch.ones(1, 1, 1), (height, width), size, 0.02
        )
        row, column = divmod(int(maps.argmax()), size)
        assert (row, column) == (y * size // height, x * size // width)


def test_without_score_there_is_no_joint_and_above_one_is_one() -> None:
    points = torch.zeros(1, 2, 2, 2)
    scores = torch.tensor([[[0.0, 7.0], [0.0, 0.0]]])
    maps = render_keypoints(points, scores, (1, 1), 1, 0.1)
    assert maps.flatten().tolist() == [0, 1]
    nobody = render_keypoints(points[:, :0], scores[:, :0], (1, 1), 1, 0.1)
    assert nobody.flatten().tolist() == [0, 0]
