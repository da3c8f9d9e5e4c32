"""Dense targets drawn into the video stay on its pixels through the whole pipeline.

The video shows the labels as grey levels, so that every picture that comes out of the
pipeline says which label each of its cells must have.
"""

import contextlib
import random
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.datasets import VideoDataset
from mmaction.datasets.transforms import Flip, TenCrop
from mmengine.structures import LabelData

from mmkd.datasets.transforms import ViewSampler, following
from mmkd.datasets.transforms import with_targets as with_targets_module
from mmkd.methods.human_prior.part_maps import PartMapFile
from mmkd.methods.human_prior.part_maps.extraction import extract
from mmkd.methods.human_prior.part_maps.extractor import ExtractionOptions
from mmkd.methods.rotation import RandomQuarterTurn
from mmkd.part_labels import LabelSet
from mmkd.registry import TRANSFORMS
from tests.datasets.video_readers.numbered import set_matrix
from tests.methods.human_prior.part_maps.gray_parser import (
    LABELS,
    labels_of,
    make_labels,
    show_labels,
    write_config,
)

HEIGHT, WIDTH, FRAMES, CELL = 96, 128, 40, 8
SIZE = 28
TABLE = LABELS.flip_table().astype(int)


@TRANSFORMS.register_module(force=True)
class TwoOddViews(ViewSampler):
    """A view at threefold speed that wraps around, and one at speed 2."""

    def __init__(self):
        super().__init__(clip_len=6, frame_interval=3)

    def sample(self, total_frames):
        wrapped = (29 + 3 * np.arange(6)) % total_frames
        return np.stack([wrapped, 5 + 2 * np.arange(6)]), {}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A video whose pixels are its labels, and its part maps."""
    folder = tmp_path_factory.mktemp('pixels')
    labels = make_labels(FRAMES, HEIGHT, WIDTH, CELL)
    show_labels(folder / 'videos' / 'a' / 'clip.mp4', labels)
    (folder / 'list.txt').write_text('a/clip.mp4 -1\n')
    config = write_config(folder)
    for form in ('labels', 'probabilities'):
        # 96: no side of a cell of the video is cut by a cell of the map.
        options = ExtractionOptions(
            config, folder / form, folder / 'videos', form=form, size=96
        )
        summary = extract(['a/clip.mp4'], options, say=lambda _: None)
        assert (summary.cost.maps, summary.failed) == (FRAMES, {})
    return folder


def sample(folder, transforms, form='labels', decoder=None, size=SIZE):
    steps = [
        {'type': f'{decoder}Decode' if decoder else 'mmkd.DecodeViews'},
        with_targets(folder / form, transforms, size),
    ]
    return run(folder, steps, f'{decoder or "Decord"}Init')


def with_targets(cache, transforms, size):
    return {
        'type': 'mmkd.WithTargets',
        'load': {'type': 'mmkd.LoadPartMaps', 'cache': str(cache)},
        'transforms': transforms,
        'align': {'type': 'mmkd.AlignPartMaps', 'size': size},
    }


def run(folder, steps, reader='DecordInit'):
    """Return the packed sample of the one video of ``folder``."""
    pipeline = [
        {'type': reader},
        {'type': 'mmkd.TwoOddViews'},
        *steps,
        {'type': 'FormatShape', 'input_format': 'NCTHW'},
        {'type': 'mmkd.PackViews'},
    ]
    # Without serialisation, which collects garbage for half a second.
    return VideoDataset(
        str(folder / 'list.txt'),
        pipeline,
        {'video': str(folder / 'videos')},
        serialize_data=False,
    )[0]


def seen_labels(inputs, size=SIZE):
    """Labels (M, T, s, s) at centres of cells, -1 where the picture is not flat."""
    pictures = inputs.permute(0, 2, 3, 4, 1).numpy()
    labels = labels_of(pictures)
    height, width = labels.shape[2:]
    shares = (np.arange(size) + 0.5) / size
    rows, columns = (shares * height).astype(int), (shares * width).astype(int)
    found = labels[:, :, rows[:, None], columns]
    flat = np.ones(found.shape, bool)
    # Next to a border, a bilinear resize mixes the labels of both sides.
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            y, x = (rows + dy).clip(0, height - 1), (columns + dx).clip(0, width - 1)
            flat &= labels[:, :, y[:, None], x] == found
            gray = pictures[:, :, y[:, None], x].astype(float).mean(-1)
            flat &= np.abs(gray - 20 * found) < 4
    return np.where(flat, found, -1)


def mismatch(maps, seen):
    """Share of the flat cells whose map is another."""
    flat = seen >= 0
    assert flat.mean() > 0.15
    return (maps != seen)[flat].mean()


CROP = {'type': 'RandomCrop', 'size': 64}
RESIZE = {'type': 'Resize', 'scale': (160, 120), 'keep_ratio': False}
SMALL = {'type': 'Resize', 'scale': (80, 80), 'keep_ratio': False}
SHORT = {'type': 'Resize', 'scale': (-1, 104)}
AREA = {'type': 'RandomResizedCrop', 'area_range': (0.2, 0.6)}
SCALES = {'type': 'MultiScaleCrop', 'input_size': 80, 'scales': (1, 0.8, 0.66)}
CENTRE = {'type': 'CenterCrop', 'crop_size': (72, 56)}
RESCALE = {'type': 'RandomRescale', 'scale_range': (90, 120)}
FLIP = {'type': 'Flip', 'flip_ratio': 1.0}
MAYBE = {'type': 'Flip', 'flip_ratio': 0.5}


def per_view(*transforms, **options):
    return {'type': 'mmkd.PerView', 'transforms': list(transforms), **options}


DOWN = {'type': 'Flip', 'flip_ratio': 1.0, 'direction': 'vertical'}
SQUARE = {'type': 'CenterCrop', 'crop_size': 64}
TURN = {'type': 'mmkd.RandomQuarterTurn'}
THREE = {'type': 'ThreeCrop', 'crop_size': (80, 96)}
TALL = {'type': 'ThreeCrop', 'crop_size': (128, 64)}
TEN = {'type': 'TenCrop', 'crop_size': 72}
NINE = {**SCALES, 'random_crop': True, 'max_wh_scale_gap': 2}
THIRTEEN = {**SCALES, 'num_fixed_crops': 13}
ERASE = {'type': 'RandomErasing', 'erase_prob': 1.0, 'fill_color': (255, 255, 255)}
FUSE = {'type': 'Fuse'}


def lazy(*transforms):
    return [*({**transform, 'lazy': True} for transform in transforms), FUSE]


# Name, transforms, and whether each of the views is mirrored.
CHAINS = {
    'none': ([], (False, False)),
    'resize': ([RESIZE], (False, False)),
    'keep ratio': ([SHORT, CROP], (False, False)),
    'flip': ([FLIP], (True, True)),
    'crop of each view': ([RESIZE, per_view(CROP)], (False, False)),
    'crop, flip': ([RESIZE, per_view(CROP, FLIP)], (True, True)),
    'flip, crop': ([per_view(FLIP, CROP, SMALL)], (True, True)),
    'crop, flip, crop': ([per_view(AREA, SMALL, FLIP, CROP, SMALL)], (True, True)),
    'two flips': ([per_view(FLIP, CROP, FLIP, SMALL)], (False, False)),
    'outer flip, inner flip': ([FLIP, per_view(CROP, FLIP)], (False, False)),
    'inner crop, outer flip and crop': (
        [per_view(AREA, SMALL), FLIP, CROP],
        (True, True),
    ),
    'two PerViews and between': (
        [per_view(AREA, SMALL), FLIP, per_view(CROP, SMALL)],
        (True, True),
    ),
    'one view flipped': ([per_view(FLIP, views=[1]), CROP], (False, True)),
    'group': ([per_view(AREA, SMALL, FLIP, groups=[[0, 1]])], (True, True)),
    'multi scale': ([per_view(SCALES, SMALL, FLIP)], (True, True)),
    'centre': ([SHORT, CENTRE, FLIP], (True, True)),
    'rescale': ([per_view(RESCALE, CROP, FLIP)], (True, True)),
    'multi scale, any position': ([per_view(NINE, SMALL, FLIP)], (True, True)),
    'multi scale, 13 positions': ([per_view(THIRTEEN, SMALL)], (False, False)),
    'down': ([per_view(DOWN)], (True, True)),
    'down, crop': ([SHORT, DOWN, CROP], (True, True)),
    'crop, down': ([RESIZE, per_view(CROP, DOWN)], (True, True)),
    'down and across': ([per_view(AREA, SMALL, FLIP, CROP, DOWN)], (False, False)),
    'turn': ([SQUARE, per_view(TURN)], (False, False)),
    'crop, turn, flip, crop': (
        [per_view(SQUARE, TURN, FLIP, {'type': 'RandomCrop', 'size': 48})],
        (True, True),
    ),
    'lazy crop': (lazy(CROP), (False, False)),
    'lazy area': ([per_view(*lazy(AREA, SMALL, FLIP))], (True, True)),
    'lazy scales': ([per_view(*lazy(SHORT, SCALES, SMALL, DOWN))], (True, True)),
    'lazy centre': (lazy(RESIZE, CENTRE, FLIP), (True, True)),
    'lazy, again, and eager': (
        [*lazy(RESIZE, CROP, FLIP), per_view(*lazy(AREA, SMALL, FLIP)), CROP],
        (False, False),
    ),
    'three': ([THREE], (False,) * 6),
    'three, tall': ([FLIP, TALL], (True,) * 6),
    'ten': ([TEN], (False, False, True, True) * 5),
    # Crops share memory, in which Flip works: a resize parts them.
    'ten, resize, flip': ([TEN, RESIZE, FLIP], (True, True, False, False) * 5),
    'view, then ten': (
        [per_view(AREA, SMALL, MAYBE, views=[]), TEN],
        (False, False, True, True) * 5,
    ),
    'erased': ([per_view(CROP, ERASE)], (False, False)),
}


@pytest.mark.parametrize('name', CHAINS)
def test_labels_stay_on_their_pixels(folder, name):
    transforms, mirrored = CHAINS[name]
    for seed in range(2):
        random.seed(seed)
        np.random.seed(seed)
        packed = sample(folder, transforms)
        maps = packed['data_samples'].targets.part_maps
        assert maps.valid.all()
        assert maps.valid.shape == (len(mirrored), 6)
        seen = seen_labels(packed['inputs'])
        for view in range(len(mirrored)):
            expected = np.where(seen[view] < 0, -1, TABLE[seen[view]])
            expected = expected if mirrored[view] else seen[view]
            assert mismatch(maps.maps[view].numpy(), expected) == 0


@pytest.mark.parametrize('decoder', ['Decord', 'OpenCV', 'PyAV'])
def test_decoders_of_mmaction2(folder, decoder):
    packed = sample(folder, CHAINS['crop, flip, crop'][0], decoder=decoder)
    seen = seen_labels(packed['inputs'])
    expected = np.where(seen < 0, -1, TABLE[seen])
    assert (
        mismatch(packed['data_samples'].targets.part_maps.maps.numpy(), expected) == 0
    )


@pytest.mark.parametrize('name', ['crop, flip', 'crop, flip, crop', 'group', 'ten'])
def test_probabilities_stay_on_their_pixels(folder, name):
    transforms, mirrored = CHAINS[name]
    packed = sample(folder, transforms, 'probabilities')
    maps = packed['data_samples'].targets.part_maps.maps
    assert maps.shape == (len(mirrored), 6, len(LABELS), SIZE, SIZE)
    # Rounding to steps of 1/255 may err by half a step in each part that is mixed.
    assert (maps.sum(2) - 255).abs().max() <= 2
    seen = seen_labels(packed['inputs'])
    flipped = np.array(mirrored)[:, None, None, None]
    expected = np.where(flipped & (seen >= 0), TABLE[seen], seen)
    assert mismatch(maps.numpy().argmax(2), expected) == 0


def test_random_flips_of_each_view_are_told_apart(folder):
    random.seed(0)
    np.random.seed(0)
    met = set()
    for _ in range(6):
        packed = sample(folder, [per_view(MAYBE, CROP, MAYBE)])
        seen = seen_labels(packed['inputs'])
        for view, maps in enumerate(
            packed['data_samples'].targets.part_maps.maps.numpy()
        ):
            mirrored = np.where(seen[view] < 0, -1, TABLE[seen[view]])
            shares = mismatch(maps, seen[view]), mismatch(maps, mirrored)
            assert min(shares) == 0
            assert max(shares) > 0.3
            met.add(shares[0] == 0)
    assert met == {True, False}


@pytest.mark.parametrize('shift', [(0, 1), (1, 0), (0, -1), (-1, -1)])
def test_a_map_that_is_one_cell_off_is_noticed(folder, shift):
    packed = sample(folder, CHAINS['crop, flip'][0])
    seen = seen_labels(packed['inputs'])
    expected = np.where(seen < 0, -1, TABLE[seen])
    maps = packed['data_samples'].targets.part_maps.maps.numpy()
    assert mismatch(maps, expected) == 0
    assert mismatch(np.roll(maps, shift, (2, 3)), expected) > 0.05
    assert mismatch(np.roll(maps, 1, axis=1), expected) > 0.5
    assert mismatch(maps, seen) > 0.5


def wrong_share(folder, name, size):
    """Share of the flat cells of a chain whose label is not that of their pixels."""
    transforms, mirrored = CHAINS[name]
    random.seed(1)
    np.random.seed(1)
    packed = sample(folder, transforms, size=size)
    seen = seen_labels(packed['inputs'], size)
    flipped = np.array(mirrored)[:, None, None, None]
    expected = np.where(flipped & (seen >= 0), TABLE[seen], seen)
    return mismatch(maps_of(packed).numpy(), expected)


def maps_of(packed):
    return packed['data_samples'].targets.part_maps.maps


def shifted(axis):
    """Return a mutation: maps lie half a cell beside the pixels."""

    def apply(patch):
        real = with_targets_module.cell_centres

        def mutated(size):
            step = [0.0, 0.0]
            step[axis] = 0.5 / size
            return real(size) + step

        patch.setattr(with_targets_module, 'cell_centres', mutated)

    return apply


def without_swaps(patch):
    patch.setattr(
        LabelSet, 'flip_table', lambda self: np.arange(len(self), dtype=np.uint8)
    )


def one_frame_off(patch):
    real = PartMapFile.nearest

    def mutated(self, frame_inds):
        positions, distances = real(self, frame_inds)
        return (positions + 1) % len(self.frames), distances

    patch.setattr(PartMapFile, 'nearest', mutated)


def replayed(change):
    """Return a mutation of the corners that a replay finds for a transform."""

    def apply(patch):
        real = following._corners_of
        patch.setattr(
            following, '_corners_of', lambda *given: change(*given, real(*given))
        )

    return apply


def not_flipped(transform, picture, corners):
    if not isinstance(transform, (Flip, TenCrop)):
        return corners
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    return np.array([[left, top], [right, top], [left, bottom]])


def turned_back(transform, picture, corners):
    if not isinstance(transform, RandomQuarterTurn):
        return corners
    # The upper left corner is exchanged for the opposite one.
    return corners[1] + corners[2] - corners


def other_draws(patch):
    patch.setattr(following, '_same_draws', contextlib.nullcontext)


def crops_in_another_order(patch):
    real = np.concatenate
    patch.setattr(
        following,
        'np',
        SimpleNamespace(**{**vars(np), 'concatenate': lambda x: real(x[::-1])}),
    )


MUTANTS = {
    'half a cell to the right': (shifted(0), ('none', 'crop, flip', 'three', 'ten')),
    'half a cell down': (shifted(1), ('none', 'multi scale', 'lazy area', 'turn')),
    'a missing swap': (without_swaps, ('flip', 'crop, flip, crop', 'down', 'ten')),
    'one frame off': (one_frame_off, ('none', 'two flips', 'turn', 'three')),
    'a flip that is not followed': (
        replayed(not_flipped),
        ('flip', 'crop, down', 'ten'),
    ),
    'a turn to the other side': (replayed(turned_back), ('turn',)),
    'other draws for the targets': (other_draws, ('crop of each view', 'turn')),
    'crops in another order': (crops_in_another_order, ('three', 'ten')),
}


@pytest.mark.parametrize('mutant', MUTANTS)
def test_mutants_are_noticed(folder, mutant):
    apply, chains = MUTANTS[mutant]
    for name in chains:
        assert wrong_share(folder, name, size=7) == 0
        with pytest.MonkeyPatch.context() as patch:
            apply(patch)
            assert wrong_share(folder, name, size=7) > 0.1


@pytest.mark.parametrize('name', CHAINS)
def test_pixels_are_the_same_with_and_without_targets(folder, name):
    """Bit for bit, with all labels, and with the same random numbers left behind."""
    found = []
    for targets in (True, False):
        random.seed(2)
        np.random.seed(2)
        torch.manual_seed(2)
        if targets:
            packed = sample(folder, CHAINS[name][0])
        else:
            packed = run(folder, [{'type': 'mmkd.DecodeViews'}, *CHAINS[name][0]])
        labels = packed['data_samples'].get('view_labels', LabelData())
        found.append(
            (
                packed['inputs'].numpy().tobytes(),
                packed['inputs'].shape,
                {name: values.tolist() for name, values in labels.items()},
                packed['data_samples'].metainfo,
                (random.random(), np.random.rand(), torch.rand(1).item()),
            )
        )
    assert found[0] == found[1]


# Turned by a quarter, upside down, mirrored, and both.
MATRICES = [(0, 1, -1, 0), (-1, 0, 0, -1), (-1, 0, 0, 1), (0, 1, 1, 0)]


@pytest.mark.parametrize('matrix', MATRICES, ids=str)
def test_videos_that_are_to_be_shown_turned(folder, tmp_path, matrix):
    """Maps are of the frames as they are shown, and so are the clips."""
    video = tmp_path / 'videos' / 'a' / 'clip.mp4'
    video.parent.mkdir(parents=True)
    shutil.copy(folder / 'videos' / 'a' / 'clip.mp4', video)
    set_matrix(video, *matrix)
    shutil.copy(folder / 'list.txt', tmp_path)
    options = ExtractionOptions(
        write_config(tmp_path), tmp_path / 'labels', tmp_path / 'videos', size=96
    )
    assert extract(['a/clip.mp4'], options, say=lambda _: None).failed == {}
    step = with_targets(tmp_path / 'labels', CHAINS['crop, flip'][0], 7)
    packed = run(tmp_path, [{'type': 'mmkd.DecodeViews'}, step], 'mmkd.OpenVideo')
    seen = seen_labels(packed['inputs'], 7)
    expected = np.where(seen < 0, -1, TABLE[seen])
    assert mismatch(maps_of(packed).numpy(), expected) == 0
