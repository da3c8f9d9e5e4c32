"""Refuse transforms that move pixels without a record, where part maps follow them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from mmaction.datasets.transforms import (
    ImgAug,
    PytorchVideoWrapper,
    TorchVisionWrapper,
)

from mmkd.datasets.transforms.followed_sample import FollowedSample
from mmkd.errors import UserError

Transform = Callable[[Any, dict[str, Any]], Any]
#: Of torchvision: they leave every pixel in its place.
COLOURS = frozenset(
    {
        'ColorJitter',
        'GaussianBlur',
        'Grayscale',
        'RandomAdjustSharpness',
        'RandomAutocontrast',
        'RandomEqualize',
        'RandomGrayscale',
        'RandomInvert',
        'RandomPosterize',
        'RandomSolarize',
    }
)


def guard_wrappers() -> None:
    """Have MMAction2's wrappers of other libraries refuse samples with part maps.

    ``ImgAug``, ``PytorchVideoWrapper`` and ``TorchVisionWrapper`` turn, shear and crop
    frames and write nothing down, so that maps would silently lie beside the pixels.
    Only those of torchvision's transforms pass that are known to change colours alone.
    Samples without part maps are not touched. A second call does nothing. Ours.
    """
    for wrapper in (ImgAug, PytorchVideoWrapper, TorchVisionWrapper):
        if not hasattr(wrapper.transform, '__wrapped__'):
            wrapper.transform = _guarded(wrapper.transform)


def _guarded(transform: Transform) -> Transform:
    @wraps(transform)
    def guarded(self: Any, results: dict[str, Any]) -> Any:
        if isinstance(results, FollowedSample):
            _check(self)
        return transform(self, results)

    return guarded


def _check(wrapper: Any) -> None:
    inner = type(getattr(wrapper, 'trans', None)).__name__
    if isinstance(wrapper, TorchVisionWrapper) and inner in COLOURS:
        return
    name = type(wrapper).__name__
    name = name if isinstance(wrapper, ImgAug) else f'{name} of {inner}'
    raise UserError(
        f'part maps cannot follow {name}, which leaves no record of where it moves '
        'the pixels',
        "Use MMAction2's own crops and flips, and mmkd.ColorJitter for colours.",
    )
