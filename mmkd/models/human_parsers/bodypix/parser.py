"""BodyPix as a human parser."""

from typing import Literal

from torch import Tensor

from mmkd.errors import UserError
from mmkd.models.human_parsers.background import with_background
from mmkd.models.human_parsers.base import HumanParser
from mmkd.models.human_parsers.bodypix.network import BodyPixNetwork
from mmkd.models.human_parsers.bodypix.onnx_file import read_convolutions
from mmkd.models.human_parsers.frame_fit import Size, stretched
from mmkd.models.human_parsers.weights import build_network, read_tensors
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS

_REPOSITORY = 'https://github.com/keijiro/BodyPixSentis'


@MODELS.register_module()
class BodyPix(HumanParser):
    """BodyPix, MobileNetV1 x0.50: 24 body parts of all persons in a frame. Small.

    The network says how likely a person is at a place, and a score for each part.
    Ours: background = 1 - person, part = person x softmax of the part scores.

    Source: https://github.com/tensorflow/tfjs-models/tree/master/body-pix; weights
    from https://github.com/keijiro/BodyPixSentis (both Apache-2.0).

    Args:
        checkpoint: The ``.onnx`` file of either stride as published (needs the package
            onnx), or a ``.npz`` or ``.pth`` with its convolutions in order,
            ``conv00.weight`` (OIHW), ``conv00.bias`` ... ``conv34.bias``; or
            ``'random'``.
        output_stride: 16, or 8 (finer, about twice the cost). Defaults to 16.
        size: Longer side that a frame is resized to, in pixels; of both sides the
            nearest ``k * output_stride + 1`` is taken. Defaults to 257.
        step: Pixels of the resized frame per cell of the maps. Defaults to 4.

    Raises:
        UserError: If the checkpoint is not there or does not fit, or the stride is
            another one.

    Example:
        >>> weights = 'data/teachers/bodypix/weights.npz'
        >>> parser = dict(type='mmkd.BodyPix', checkpoint=weights)
        >>> finer = dict(type='mmkd.BodyPix', checkpoint=weights, output_stride=8)
    """

    network: BodyPixNetwork

    def __init__(
        self,
        checkpoint: str,
        output_stride: Literal[8, 16] = 16,
        size: int = 257,
        step: int = 4,
    ) -> None:
        if output_stride not in (8, 16):
            raise UserError(
                f'BodyPix has no output stride {output_stride}', 'Take 8 or 16.'
            )
        read = read_convolutions if checkpoint.endswith('.onnx') else read_tensors
        network = build_network(
            lambda: BodyPixNetwork(output_stride),
            checkpoint,
            _REPOSITORY,
            'BodyPix',
            read,
        )
        settings = {'output_stride': output_stride, 'size': size, 'step': step}
        super().__init__(get_label_set('bodypix'), settings, network)
        self.output_stride = output_stride
        self.size = size
        self.step = step

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return ``(F, 25, h, w)``; the longer side has about ``size / step`` cells."""
        frame = (frames.shape[-2], frames.shape[-1])
        fit = stretched(frame, self.input_size(frame))
        x = fit.to_input(frames.float()) / 127.5 - 1
        answers = self.network(x, ('segments', 'part_heatmaps'))
        # Before the sigmoid, where its scores are linear.
        person, parts = (
            fit.to_frame(score, self.output_stride, self.step)
            for score in answers.values()
        )
        return with_background(person.sigmoid(), parts.softmax(dim=1))

    def input_size(self, frame: Size) -> Size:
        """Return the height and width that frames of a height and width get."""
        scale = self.size / max(frame)
        height, width = (
            max(1, round((side * scale - 1) / self.output_stride)) for side in frame
        )
        return height * self.output_stride + 1, width * self.output_stride + 1
