"""Any exported network as a human parser."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.models.human_parsers.base import HumanParser
from mmkd.models.human_parsers.exported.programs import Program, open_program
from mmkd.models.human_parsers.frame_fit import FrameFit, Size, letterboxed, stretched
from mmkd.models.human_parsers.weights import existing
from mmkd.part_labels import as_label_set
from mmkd.registry import MODELS

_FITS = {'stretch': stretched, 'letterbox': letterboxed}


@MODELS.register_module()
class ExportedParser(HumanParser):
    """A TorchScript or ONNX file, with a description of its input and output.

    A TorchScript file is a program: take it only from whom you trust. Such files exist
    of Sapiens (https://arxiv.org/abs/2408.12569, CC BY-NC 4.0), and ONNX files of SCHP.
    Source: ours.

    Args:
        file: The file; ``.onnx`` is run by onnxruntime, anything else is TorchScript.
        label_set: Name of the label set, or its description for
            :func:`mmkd.part_labels.as_label_set`; the network has one channel a label.
        size: Height and width of its input.
        mean: Subtracted from pixel values 0..255, three numbers in its channel order.
        std: Divided by.
        channel_order: ``'rgb'`` or ``'bgr'``. Defaults to ``'rgb'``.
        layout: ``'nchw'`` or ``'nhwc'``, of input and output. Defaults to ``'nchw'``.
        fit: ``'stretch'`` a frame to its input, or ``'letterbox'``, which keeps the
            aspect ratio and leaves the rest black. Defaults to ``'stretch'``.
        output: Place or name of the output. Defaults to 0.
        logits: Whether a softmax is to follow; otherwise scores are divided by their
            sum. Defaults to True.
        nodes: Where its scores lie: ``'cells'`` that divide the input evenly, or
            ``'corners'``, the outer ones on the outer pixels. Defaults to ``'cells'``.
        batch_size: Frames at a time, if the file takes a fixed number that it does not
            state. Defaults to None: as many as come.
        step: Pixels of its input per cell of the maps. Defaults to 4.
        publisher: Where the file can be had, for the message if it is not there.

    Raises:
        UserError: If the file is not there or cannot be run, or an option is wrong.

    Example:
        >>> parser = dict(
        ...     type='mmkd.ExportedParser',
        ...     file='data/teachers/sapiens/seg_0.3b.pt2',
        ...     label_set='sapiens',
        ...     size=(1024, 768),
        ...     mean=(123.5, 116.5, 103.5),
        ...     std=(58.5, 57.0, 57.5),
        ... )
    """

    network: Program
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        file: str,
        label_set: str | Mapping[str, Any],
        size: Size,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (255.0, 255.0, 255.0),
        channel_order: Literal['rgb', 'bgr'] = 'rgb',
        layout: Literal['nchw', 'nhwc'] = 'nchw',
        fit: Literal['stretch', 'letterbox'] = 'stretch',
        output: int | str = 0,
        logits: bool = True,
        nodes: Literal['cells', 'corners'] = 'cells',
        batch_size: int | None = None,
        step: int = 4,
        publisher: str = 'whoever publishes it',
    ) -> None:
        _check('channel_order', channel_order, ('rgb', 'bgr'))
        _check('layout', layout, ('nchw', 'nhwc'))
        _check('fit', fit, tuple(_FITS))
        _check('nodes', nodes, ('cells', 'corners'))
        path = existing(file, 'exported parser', publisher)
        program = open_program(path)
        settings: dict[str, str | int | float] = {
            'size': f'{size[0]}x{size[1]}',
            'mean': ' '.join(map(str, mean)),
            'std': ' '.join(map(str, std)),
            'channel_order': channel_order,
            'layout': layout,
            'fit': fit,
            'output': output,
            'logits': int(logits),
            'nodes': nodes,
            'step': step,
        }
        super().__init__(as_label_set(label_set), settings, program)
        self.size = (int(size[0]), int(size[1]))
        self.channel_order, self.layout, self.fit = channel_order, layout, fit
        self.nodes, self.step = nodes, step
        self.output, self.logits = output, logits
        self.batch_size = batch_size or program.batch
        for name, values in (('mean', mean), ('std', std)):
            constant = torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1)
            self.register_buffer(name, constant, persistent=False)

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return ``(F, K, h, w)`` with about ``size / step`` cells for the frame."""
        fit = _FITS[self.fit]((frames.shape[-2], frames.shape[-1]), self.size)
        count = self.batch_size or len(frames)
        parts = [self._some(part, fit, count) for part in frames.split(count)]
        return torch.cat(parts)

    def _some(self, frames: Tensor, fit: FrameFit, count: int) -> Tensor:
        """Return the maps of ``count`` frames or fewer."""
        x = fit.to_input(frames.float())
        x = ((x.flip(1) if self.channel_order == 'bgr' else x) - self.mean) / self.std
        if self.batch_size and len(x) < count:
            x = torch.cat([x, x[-1:].expand(count - len(x), -1, -1, -1)])
        nhwc = self.layout == 'nhwc'
        x = x.permute(0, 2, 3, 1) if nhwc else x
        scores = self.network(x.contiguous(), self.output)
        scores = scores.permute(0, 3, 1, 2) if nhwc and scores.ndim == 4 else scores
        self._check_scores(scores, len(x))
        spread = fit.to_frame(scores[: len(frames)].float(), self.nodes, self.step)
        if self.logits:
            return spread.softmax(dim=1)
        return spread / spread.sum(dim=1, keepdim=True).clamp(min=1e-6)

    def _check_scores(self, scores: Tensor, frames: int) -> None:
        expected = (frames, len(self.label_set))
        if scores.ndim != 4 or tuple(scores.shape[:2]) != expected:
            raise UserError(
                f'output {self.output!r} of {self.network.path} is '
                f'{tuple(scores.shape)} for {frames} frames and '
                f'{len(self.label_set)} labels',
                'Correct output, label_set, layout or batch_size.',
            )

    def weights_hash(self) -> str:
        """Return the first digits of the file's SHA-256."""
        return sha256(self.network.path)[:16]


def _check(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(
            f'ExportedParser has no {option}={value!r}', f'Take {" or ".join(known)}.'
        )
