"""SCHP as a human parser."""

from torch import Tensor

from mmkd.errors import UserError
from mmkd.models.human_parsers.frame_fit import Axis, FrameFit, Size
from mmkd.models.human_parsers.human_parser import HumanParser
from mmkd.models.human_parsers.schp_network import SCHPNetwork
from mmkd.models.human_parsers.weights import build_network
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS

_SIZES = {'lip': 473, 'atr': 512, 'pascal_person_part': 512}
_REPOSITORY = 'https://github.com/GoGoDuck912/Self-Correction-Human-Parsing'


@MODELS.register_module()
class SCHP(HumanParser):
    """Self-Correction for Human Parsing, ResNet-101, with an official checkpoint.

    A frame is laid whole into the middle of a square, its aspect ratio kept; what it
    does not cover is black. It was trained on pictures of one person; frames of several
    or of distant persons are not what it knows.

    Source: https://arxiv.org/abs/1910.09777; code and checkpoints
    https://github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT).

    Args:
        checkpoint: ``exp-schp-*.pth`` of the authors, or ``'random'``.
        label_set: ``'lip'``, ``'atr'`` or ``'pascal_person_part'``. Defaults to
            ``'lip'``.
        size: Side of the square in pixels. Defaults to None: 473 for LIP, 512 for the
            others, as trained; 224 costs a fifth.
        step: Pixels of the square per cell of the maps. Defaults to 4, the network's.

    Raises:
        UserError: If the checkpoint is not there or does not fit, or there is no such
            label set.

    Example:
        >>> parser = dict(
        ...     type='mmkd.SCHP',
        ...     checkpoint='data/teachers/schp/exp-schp-201908261155-lip.pth',
        ...     size=224,
        ... )
        >>> weights = 'data/teachers/schp/exp-schp-201908301523-atr.pth'
        >>> fashion = dict(type='mmkd.SCHP', checkpoint=weights, label_set='atr')
    """

    network: SCHPNetwork
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        checkpoint: str,
        label_set: str = 'lip',
        size: int | None = None,
        step: int = 4,
    ) -> None:
        if label_set not in _SIZES:
            raise UserError(
                f'SCHP has no label set {label_set!r}',
                f'Take one of: {", ".join(_SIZES)}.',
            )
        labels = get_label_set(label_set)
        network = build_network(
            lambda: SCHPNetwork(len(labels)), checkpoint, _REPOSITORY, 'SCHP'
        )
        side = size or _SIZES[label_set]
        super().__init__(labels, {'size': side, 'step': step}, network)
        self.size = side
        self.step = step
        # Of blue, green, red.
        self._add_constants(mean=(0.406, 0.456, 0.485), std=(0.225, 0.224, 0.229))

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return ``(F, K, h, w)``; the longer side has ``size / step`` cells."""
        fit = official_fit((frames.shape[-2], frames.shape[-1]), self.size)
        bgr = fit.to_input(frames.flip(1).float()) / 255
        logits = self.network((bgr - self.mean) / self.std).fusion
        return fit.to_frame(logits, 'corners', self.step).softmax(dim=1)


def official_fit(frame: Size, size: int) -> FrameFit:
    """Lay a frame into a square as SCHP's code does.

    Centre lies on ``size / 2``, and the longer side less one pixel spans ``size``.
    """
    scale = size / max(1, max(frame) - 1)
    y, x = (Axis(n, size, scale, size / 2 - scale * (n - 1) / 2) for n in frame)
    return FrameFit(y, x)
