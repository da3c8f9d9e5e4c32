"""Any exported network, TorchScript or ONNX, as a human parser."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.models.human_parsers.frame_fit import FrameFit, Size, letterboxed, stretched
from mmkd.models.human_parsers.human_parser import HumanParser
from mmkd.models.human_parsers.weights import existing
from mmkd.part_labels import as_label_set
from mmkd.registry import MODELS

_FITS = {'stretch': stretched, 'letterbox': letterboxed}


class Program(nn.Module):
    """An exported network: ``program(x, output)`` is one of its outputs.

    Args:
        path: Its file.

    Attributes:
        path: The same.
        batch: Frames that it takes at once; None if any number, or if it does not say.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.batch: int | None = None


class TorchScriptProgram(Program):
    """A TorchScript file. It runs PyTorch's operators only, but trust its writer.

    Format: https://docs.pytorch.org/docs/stable/jit.html.

    Args:
        path: The file.

    Raises:
        UserError: If it is no TorchScript file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self.program = torch.jit.load(str(path), map_location='cpu').eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise UserError(
                f'{path} is no TorchScript file, or is damaged', 'Fetch it again.'
            ) from error

    def forward(self, x: Tensor, output: int | str) -> Tensor:
        """Return one output of ``x``."""
        return _pick(self.program(x), output, self.path)


class OnnxProgram(Program):
    """An ONNX file, run by onnxruntime: on the GPU if it can and ``x`` is there.

    Runtime: https://onnxruntime.ai/docs/.

    Args:
        path: The file.

    Raises:
        UserError: If onnxruntime is not installed, or this is no ONNX file that it can
            run.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(
                f'{path} needs the package onnxruntime, which is not installed',
                'pip install onnxruntime',
            ) from error
        super().__init__(path)
        self._runtime = onnxruntime
        self._session = self._open(['CPUExecutionProvider'])
        self._on_gpu = False
        batch = self._session.get_inputs()[0].shape[0]
        self.batch = batch if isinstance(batch, int) else None

    def _open(self, providers: Sequence[str]) -> Any:
        try:
            return self._runtime.InferenceSession(str(self.path), providers=providers)
        except Exception as error:  # onnxruntime has many of its own
            reason = str(error).splitlines()[0]
            raise UserError(
                f'onnxruntime cannot run {self.path} ({reason})', 'Export it again.'
            ) from error

    def forward(self, x: Tensor, output: int | str) -> Tensor:
        """Return one output of ``x``."""
        cuda = 'CUDAExecutionProvider'
        if x.is_cuda and not self._on_gpu:
            if cuda in self._runtime.get_available_providers():
                self._session = self._open([cuda, 'CPUExecutionProvider'])
            self._on_gpu = True
        name = self._session.get_inputs()[0].name
        values = self._session.run(None, {name: x.cpu().numpy()})
        names = [entry.name for entry in self._session.get_outputs()]
        named = dict(zip(names, values, strict=True))
        value = _pick(named if isinstance(output, str) else values, output, self.path)
        return torch.from_numpy(np.asarray(value)).to(x.device)


def open_program(path: Path) -> Program:
    """Open a file by its ending: ``.onnx``, or anything else as TorchScript."""
    return OnnxProgram(path) if path.suffix == '.onnx' else TorchScriptProgram(path)


def _pick(values: Any, output: int | str, path: Path) -> Any:
    """Return one of several outputs, by index or by name."""
    if isinstance(values, Mapping) and isinstance(output, int):
        values = list(values.values())
    if not isinstance(values, Mapping | Sequence):
        values = [values]
    try:
        return values[output]
    except (LookupError, TypeError) as error:
        there = list(values) if isinstance(values, Mapping) else range(len(values))
        raise UserError(
            f'{path} has no output {output!r}',
            f'Take one of: {", ".join(map(str, there))}.',
        ) from error


@MODELS.register_module()
class ExportedParser(HumanParser):
    """A TorchScript or ONNX file, with a description of its input and output.

    A TorchScript file is a program: take it only from whom you trust. Such files exist
    of Sapiens (https://arxiv.org/abs/2408.12569, CC BY-NC 4.0), and ONNX files of SCHP.

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
        output: Index or name of the output. Defaults to 0.
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
        for option, value, known in (
            ('channel_order', channel_order, ('rgb', 'bgr')),
            ('layout', layout, ('nchw', 'nhwc')),
            ('fit', fit, tuple(_FITS)),
            ('nodes', nodes, ('cells', 'corners')),
        ):
            if value not in known:
                raise UserError(
                    f'ExportedParser has no {option}={value!r}',
                    f'Take {" or ".join(known)}.',
                )
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
        self._add_constants(mean=mean, std=std)

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
