"""A map drawn into the video stays on its pixels through the whole pipeline.

The video shows the labels as grey levels, so that every picture that comes out of the
pipeline says which label each of its places must have.
"""

import random

import numpy as np
import pytest
from mmaction.datasets import VideoDataset

from mmkd.datasets.part_maps.extraction import ExtractionOptions, extract
from mmkd.datasets.transforms import ViewSampler
from mmkd.registry import TRANSFORMS
from tests.datasets.part_maps.gray_parser import (
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


def sample(folder, transforms, form='labels', before_decoding=True, decoder=None):
    load = {'type': 'mmkd.LoadPartMaps', 'cache': str(folder / form)}
    decode = {'type': f'{decoder}Decode' if decoder else 'mmkd.DecodeViews'}
    pipeline = [
        {'type': f'{decoder or "Decord"}Init'},
        {'type': 'mmkd.TwoOddViews'},
        *((load, decode) if before_decoding else (decode, load)),
        *transforms,
        {'type': 'mmkd.AlignPartMaps', 'size': SIZE},
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


def seen_labels(inputs):
    """Labels (M, T, s, s) at centres of cells, -1 where the picture is not flat."""
    pictures = inputs.permute(0, 2, 3, 4, 1).numpy()
    labels = labels_of(pictures)
    height, width = labels.shape[2:]
    shares = (np.arange(SIZE) + 0.5) / SIZE
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
    """Share of the flat places whose map is another."""
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
    'multi scale, any place': ([per_view(NINE, SMALL, FLIP)], (True, True)),
    'multi scale, 13 places': ([per_view(THIRTEEN, SMALL)], (False, False)),
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


BEHIND = ('none', 'crop, flip')


@pytest.mark.parametrize(
    ('name', 'before_decoding'),
    [*((name, True) for name in CHAINS), *((name, False) for name in BEHIND)],
)
def test_labels_stay_on_their_pixels(folder, name, before_decoding):
    transforms, mirrored = CHAINS[name]
    for seed in range(2):
        random.seed(seed)
        np.random.seed(seed)
        packed = sample(folder, transforms, before_decoding=before_decoding)
        maps = packed['data_samples'].part_maps
        assert maps.valid.all()
        assert maps.valid.shape == (len(mirrored), 6)
        seen = seen_labels(packed['inputs'])
        for view in range(len(mirrored)):
            expected = np.where(seen[view] < 0, -1, TABLE[seen[view]])
            expected = expected if mirrored[view] else seen[view]
            assert mismatch(maps.maps[view].numpy(), expected) == 0


@pytest.mark.parametrize('decoder', ['Decord', 'OpenCV', 'PyAV'])
@pytest.mark.parametrize('before_decoding', [True, False])
def test_decoders_of_mmaction2(folder, decoder, before_decoding):
    transforms = CHAINS['crop, flip, crop'][0]
    packed = sample(
        folder, transforms, before_decoding=before_decoding, decoder=decoder
    )
    seen = seen_labels(packed['inputs'])
    expected = np.where(seen < 0, -1, TABLE[seen])
    assert mismatch(packed['data_samples'].part_maps.maps.numpy(), expected) == 0


@pytest.mark.parametrize('name', ['crop, flip', 'crop, flip, crop', 'group', 'ten'])
def test_probabilities_stay_on_their_pixels(folder, name):
    transforms, mirrored = CHAINS[name]
    packed = sample(folder, transforms, 'probabilities')
    maps = packed['data_samples'].part_maps.maps
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
        for view, maps in enumerate(packed['data_samples'].part_maps.maps.numpy()):
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
    maps = packed['data_samples'].part_maps.maps.numpy()
    assert mismatch(maps, expected) == 0
    assert mismatch(np.roll(maps, shift, (2, 3)), expected) > 0.05
    assert mismatch(np.roll(maps, 1, axis=1), expected) > 0.5
    assert mismatch(maps, seen) > 0.5
