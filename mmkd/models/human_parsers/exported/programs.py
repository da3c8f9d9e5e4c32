"""Run networks that somebody exported, without their code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmkd.errors import UserError


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
    """Return one of several outputs, by place or by name."""
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
