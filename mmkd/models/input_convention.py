"""How a network expects its pixels: channel order, value range, mean and deviation.

This is the one place that defines them. Weights are only worth something with the
convention they were trained with, so it travels in the meta of every checkpoint.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from mmkd.errors import UserError

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class InputConvention:
    """The pixels that a network was trained with.

    Attributes:
        name: Short name, used in configs.
        channel_order: Order of the three channels.
        value_range: Largest value before ``mean`` and ``std`` apply: 1 or 255.
        mean: Subtracted per channel, in units of ``value_range``.
        std: Divided by per channel, in units of ``value_range``.
        residual: Whether frames are then replaced by their differences, see
            :func:`~mmkd.models.residual_frames.residual_frames`.
    """

    name: str
    channel_order: Literal['RGB', 'BGR']
    value_range: Literal[1, 255]
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    residual: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain Python values, fit for the meta of a checkpoint.

        ``residual`` is named only where it is true, as checkpoints of before it was
        known do.
        """
        values = {
            k: list(v) if k in ('mean', 'std') else v for k, v in asdict(self).items()
        }
        if not self.residual:
            del values['residual']
        return values

    def scaled_to_255(self) -> tuple[list[float], list[float]]:
        """Return ``(mean, std)`` for pixels in 0..255."""
        factor = 255.0 / self.value_range
        return [m * factor for m in self.mean], [s * factor for s in self.std]


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
