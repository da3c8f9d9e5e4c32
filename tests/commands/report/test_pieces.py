"""Previews, tints and matrices against slow twins."""

from pathlib import Path
from urllib.parse import unquote

import numpy as np
import torch

from mmkd.commands.part_overlay import part_colours
from mmkd.commands.report.charts import confusion_figure
from mmkd.commands.report.clips import choose_queries, clip_frames, moving, webp
from mmkd.commands.report.human_parts import tint
from mmkd.commands.report.page import pieces
from mmkd.datasets.video_file import write_video
from mmkd.part_labels import get_label_set
from tests.commands.report.checking import Page, open_image

SYNTHETIC = get_label_set('synthetic')


def test_previews_show_the_whole_video(tmp_path: Path) -> None:
    shades = np.linspace(20, 230, 15).astype(np.uint8)
    frames = np.broadcast_to(shades[:, None, None, None], (15, 48, 64, 3))
    write_video(tmp_path / 'a.mp4', np.ascontiguousarray(frames), quality=0)
    small = clip_frames(tmp_path / 'a.mp4')
    assert small.shape == (8, 84, 112, 3)
    np.testing.assert_allclose(small.mean((1, 2, 3)), shades[::2], atol=4)
    page = Page(pieces.moving(moving(tmp_path / 'a.mp4', 'a "clip"')))
    still, animated = map(open_image, page.images)
    assert (still.size, getattr(still, 'n_frames', 1)) == ((112, 84), 1)
    assert (animated.size, animated.n_frames) == ((112, 84), 8)
    assert animated.info['loop'] == 0
    np.testing.assert_allclose(np.asarray(still).mean(), shades[8], atol=6)


def test_a_single_frame_is_a_still_picture() -> None:
    picture = np.full((20, 30, 3), (200, 30, 60), np.uint8)
    image = open_image(webp([picture], 90)).convert('RGB')
    np.testing.assert_allclose(np.asarray(image)[10, 15], (200, 30, 60), atol=6)


def test_a_cell_takes_the_mean_colour_of_its_parts() -> None:
    frame = np.full((4, 8, 3), 100, np.uint8)
    shares = np.zeros((15, 1, 2))
    shares[0, 0] = 0.4, 1.0  # background
    shares[[2, 5], 0, 0] = 0.45, 0.15
    drawn = tint(frame, shares, SYNTHETIC)
    colours = part_colours(SYNTHETIC).astype(float)
    mean = (0.45 * colours[2] + 0.15 * colours[5]) / 0.6
    expected = (1 - 0.85 * 0.6) * 100 + 0.85 * 0.6 * mean
    np.testing.assert_allclose(
        drawn[:, :4], np.broadcast_to(expected, (4, 4, 3)), atol=1
    )
    np.testing.assert_array_equal(drawn[:, 4:], frame[:, 4:])


def test_a_matrix_has_its_counts_and_its_worst_confusions() -> None:
    matrix = np.array([[3, 1, 0], [2, 2, 4], [0, 0, 5]])
    names = ('run', 'walk', 'fall')
    page = Page(confusion_figure('net', matrix, names, 'Of a test.'))
    assert 'Of a test. 58.8 % are right.' in page.text
    cells = page.text[: page.text.index('Of a test.')]
    assert 'walk' in cells and 'true class' in cells
    assert 'fall, answer' not in cells.replace('fall, answer fall: 5 videos', '')
    assert 'walk, answer fall: 4 videos' in cells
    counts = unquote(page.tables[0]).split('\n')[1:-1]
    wanted = [f'{names[r]},{names[c]},{matrix[r, c]}' for r, c in np.argwhere(matrix)]
    assert counts == wanted
    worst = page.text[page.text.index('taken for') :]
    rows = ['walkfall4 of 8', 'runwalk1 of 4', 'walkrun2 of 8']
    assert sorted(rows, key=worst.index) in (rows, [rows[0], rows[2], rows[1]])
    image = np.asarray(open_image(page.images[0]))
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    step = len(image) // 3
    alpha = image[step // 2 :: step, step // 2 :: step, 3][:3, :3] / 255
    np.testing.assert_allclose(alpha, shares, atol=0.01)


def test_queries_are_the_first_videos_of_classes() -> None:
    labels = torch.tensor([3, 3, 0, 7, 7, 1, 0, 9, 8])
    assert choose_queries(labels, 3) == [2, 0, 7]
    assert choose_queries(labels, 50) == [2, 5, 0, 3, 8, 7]
