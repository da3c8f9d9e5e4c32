"""Residual frames against PCL's released code, and in the preprocessor."""

import torch
from mmaction.structures import ActionDataSample

from mmkd.models import ClipPreprocessor
from mmkd.models.clip_preprocessor import residual_frames
from tests.golden import load_golden


def test_official_difference() -> None:
    golden = load_golden('pcl_ops')
    golden.check('residual', residual_frames(golden.inputs('clip')))


def test_by_hand() -> None:
    clip = torch.tensor([1.0, 5.0, 7.0]).view(1, 3, 1, 1)
    assert residual_frames(clip).flatten().tolist() == [6.0, -4.0, -2.0]


def preprocessed(**options: object) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    clip = torch.randint(0, 256, (2, 3, 4, 5, 6), generator=generator)
    data = {'inputs': [clip.byte()], 'data_samples': [ActionDataSample()]}
    return ClipPreprocessor('imagenet', **options)(data)['inputs']


def test_the_preprocessor_takes_differences_after_normalising() -> None:
    plain, residual = preprocessed(), preprocessed(residual=True)
    assert residual.shape == plain.shape == (1, 2, 3, 4, 5, 6)
    for time in range(4):
        expected = plain[:, :, :, time - 1] - plain[:, :, :, time]
        torch.testing.assert_close(residual[:, :, :, time], expected)


def test_the_convention_says_so() -> None:
    plain = ClipPreprocessor('imagenet').convention
    residual = ClipPreprocessor('imagenet', residual=True).convention
    assert residual.as_dict() == {**plain.as_dict(), 'residual': True}
    assert 'residual' not in plain.as_dict()
