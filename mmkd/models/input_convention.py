"""How a network expects its pixels: channel order, value range, mean and deviation.

Weights are only worth something with the convention they were trained with, so it
travels in every checkpoint; a config names one, or leaves it to the weights.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import Any, Literal

from mmkd.errors import UserError

Triple = tuple[float, float, float]
KEY = 'input_convention'
"""Where the input stands in the meta of a checkpoint."""
SOURCE = 'input_source'
"""Beside it in the metadata that torch hands to a module: what messages call it."""
AUTO = 'auto'
"""What a config says whose input the weights decide."""


@dataclass(frozen=True)
class InputConvention:
    """The pixels that a network was trained with.

    Attributes:
        name: Short name, used in configs; two names of the same values are equal.
        channel_order: Order of the three channels.
        value_range: Largest value before ``mean`` and ``std`` apply: 1 or 255.
        mean: Subtracted per channel, in units of ``value_range``.
        std: Divided by per channel, in units of ``value_range``.
        residual: Whether frames are then replaced by their differences, see
            :func:`~mmkd.models.clip_preprocessor.residual_frames`.
    """

    name: str = field(compare=False)
    channel_order: Literal['RGB', 'BGR']
    value_range: Literal[1, 255]
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    residual: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain Python values, fit for the meta of a checkpoint.

        ``residual`` is named only where it is true, as in older checkpoints.
        """
        values = {
            k: list(v) if k in ('mean', 'std') else v for k, v in asdict(self).items()
        }
        if not self.residual:
            del values['residual']
        return values

    @classmethod
    def from_dict(cls, values: Any, source: str) -> 'InputConvention':
        """Return the convention that :meth:`as_dict` or a config describes.

        Args:
            values: A name of :data:`CONVENTIONS`, or the values by attribute.
            source: What the message calls their origin.

        Raises:
            UserError: If they describe none.
        """
        try:
            if isinstance(values, str):
                return get_convention(values)
            if set(values) == {'name'}:
                return get_convention(values['name'])
            return _checked(values)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f'{source}: input convention {values!r} is not understood ({error})',
                'Write it as InputConvention.as_dict() does.',
            ) from error

    def words(self) -> str | dict[str, Any]:
        """Return what a config has to say to feed this, ``residual`` aside."""
        if CONVENTIONS.get(self.name) == replace(self, residual=False):
            return self.name
        return {k: v for k, v in self.as_dict().items() if k != 'residual'}

    def __str__(self) -> str:
        text = repr(self.name)
        if not isinstance(self.words(), str):
            values = {**self.as_dict(), 'name': None, 'residual': None}
            shown = ', '.join(f'{k} {v}' for k, v in values.items() if v is not None)
            text += f' ({shown})'
        return f'{text} as residual frames' if self.residual else text

    def scaled_to_255(self) -> tuple[list[float], list[float]]:
        """Return ``(mean, std)`` for pixels in 0..255."""
        factor = 255.0 / self.value_range
        return [m * factor for m in self.mean], [s * factor for s in self.std]


def _checked(values: Mapping[str, Any]) -> InputConvention:
    """Return the convention of the values; whatever is wrong is a ``ValueError``."""
    order, largest = values['channel_order'], values['value_range']
    if order not in ('RGB', 'BGR') or largest not in (1, 255):
        raise ValueError('channel_order is RGB or BGR, value_range 1 or 255')
    mean, std = (
        tuple(float(x) for x in values.get(key, (default,) * 3))
        for key, default in (('mean', 0.0), ('std', 1.0))
    )
    if len(mean) != 3 or len(std) != 3 or not all(map(isfinite, mean)):
        raise ValueError('mean and std are three numbers')
    if not all(isfinite(x) and x > 0 for x in std):
        raise ValueError('std is above 0')
    unknown = set(values) - set(InputConvention.__dataclass_fields__)
    if unknown:
        raise ValueError(f'unknown value {sorted(unknown)[0]}')
    residual = bool(values.get('residual', False))
    name = str(values.get('name', 'unnamed'))
    return InputConvention(name, order, largest, mean, std, residual)


CONVENTIONS = {
    convention.name: convention
    for convention in (
        # auxSKD, VSPP and VideoPace read with OpenCV and do not normalise.
        InputConvention('bgr255', 'BGR', 255),
        # VCOP: PIL images to tensors.
        InputConvention('rgb01', 'RGB', 1),
        # RSPNet, PCL and most fine-tuning: statistics of ImageNet.
        InputConvention(
            'imagenet', 'RGB', 1, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        ),
        # torchvision's video networks: statistics of Kinetics-400.
        InputConvention(
            'kinetics',
            'RGB',
            1,
            (0.43216, 0.394666, 0.37645),
            (0.22803, 0.22145, 0.216989),
        ),
    )
}


def get_convention(name: str) -> InputConvention:
    """Return the convention of that name.

    Raises:
        UserError: If there is none.
    """
    if name not in CONVENTIONS:
        raise UserError(
            f'unknown input convention {name!r}',
            f'Choose one of {", ".join(CONVENTIONS)}.',
        )
    return CONVENTIONS[name]


class ReadsInput:
    """A preprocessor whose input the weights may decide, also those that torch loads.

    A mixin, to be named before the module class.

    Attributes:
        declared: What its config says, a
            :class:`~mmkd.models.input_adoption.DeclaredInput`.
        convention: What is fed; None while that is not known.
    """

    declared: Any
    convention: Any

    def adopt(
        self, of_weights: InputConvention | None, source: str, must_agree: bool = True
    ) -> None:
        """Feed the input of the weights, or what the config says instead.

        Arguments and errors are those of ``DeclaredInput.settle``.
        """
        raise NotImplementedError

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        found = local_metadata.get(KEY)
        if found is not None:
            source = local_metadata.get(SOURCE, 'the state dict')
            self.adopt(InputConvention.from_dict(found, source), source)
        super()._load_from_state_dict(  # type: ignore[misc]
            state_dict, prefix, local_metadata, *args, **kwargs
        )
