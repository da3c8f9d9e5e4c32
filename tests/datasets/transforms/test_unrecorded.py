import re
from pathlib import Path

import numpy as np
import pytest
from mmaction.datasets.transforms import (
    ImgAug,
    PytorchVideoWrapper,
    TorchVisionWrapper,
)
from mmaction.registry import TRANSFORMS as MMACTION

from mmkd.datasets.transforms import LoadPartMaps, PerView
from mmkd.errors import UserError
from tests.datasets.transforms.part_samples import decoded, make_cache, sampled


class ColorJitter:
    """Stands for torchvision's, which need not be there."""

    def __call__(self, images):
        return images + 1


class RandomRotation(ColorJitter):
    pass


def wrapper(kind, inner):
    """Build a wrapper around a transform of ours."""
    made = kind.__new__(kind)
    made.trans, made.op = inner, 'AugMix'
    return made


@pytest.fixture
def loaded(tmp_path):
    load = LoadPartMaps(make_cache(tmp_path / 'cache'))
    return decoded(load(sampled([1, 4])))


@pytest.mark.parametrize(
    ('kind', 'inner', 'name'),
    [
        (ImgAug, None, 'ImgAug'),
        (TorchVisionWrapper, RandomRotation(), 'TorchVisionWrapper of RandomRotation'),
        (PytorchVideoWrapper, ColorJitter(), 'PytorchVideoWrapper of ColorJitter'),
    ],
)
@pytest.mark.parametrize('inside', [False, True])
def test_wrappers_that_move_pixels_are_refused(loaded, kind, inner, name, inside):
    transform = wrapper(kind, inner)
    with pytest.raises(UserError, match=f'cannot follow {name}, which leaves no'):
        PerView([transform])(loaded) if inside else transform(loaded)


def test_colours_of_torchvision_pass(loaded):
    results = wrapper(TorchVisionWrapper, ColorJitter())(loaded)
    assert {image.max() for image in results['imgs']} == {1}


def test_samples_without_part_maps_are_left_alone(loaded):
    plain = {'imgs': [np.zeros((4, 4, 3), np.uint8)] * 2}
    results = wrapper(TorchVisionWrapper, RandomRotation())(plain)
    assert {image.max() for image in results['imgs']} == {1}
    assert TorchVisionWrapper.transform.__name__ == 'transform'


def test_the_page_says_of_every_transform_what_the_maps_do():
    page = Path(__file__).parents[3] / 'docs' / 'part_maps.md'
    named = set(re.findall(r'`([A-Za-z0-9]+)`', page.read_text(encoding='utf-8')))
    registered = {
        name
        for name, kind in MMACTION.module_dict.items()
        if kind.__module__.startswith('mmaction.')
    }
    assert len(registered) > 50
    assert registered - named == set()
