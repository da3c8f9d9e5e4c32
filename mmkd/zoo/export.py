"""Export a trained network: bare weights, TorchScript or ONNX."""

import importlib.util
import json
import logging
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.files import replacing
from mmkd.zoo.clip_network import ClipNetwork, Output, load_clip_network

Meta = dict[str, Any]

_INPUT, _BATCH = 'clips', 'batch'
_ONNX_PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')
_LARGEST_ERROR = 1e-4  # of the largest value; float32 kernels differ by about 1e-6


def export_backbone(
    network: ClipNetwork, meta: Meta, clips: Tensor, path: Path
) -> None:
    """Write ``backbone.*`` and the meta as a checkpoint, and nothing else.

    Args:
        network: The network.
        meta: Meta of its checkpoint; input convention and source are kept.
        clips: Clips ``(N, 3, T, H, W)``; not needed here.
        path: The file to write.
    """
    weights = OrderedDict(
        (f'backbone.{name}', value.clone())
        for name, value in network.backbone.state_dict().items()
    )
    torch.save({'state_dict': weights, 'meta': _kept(meta)}, path)


def export_torchscript(
    network: ClipNetwork, meta: Meta, clips: Tensor, path: Path
) -> None:
    """Trace the network; the file ``meta.json`` inside holds the input convention.

    Args:
        network: The network.
        meta: Meta of its checkpoint.
        clips: Clips ``(N, 3, T, H, W)`` to trace with; N is free afterwards.
        path: The file to write.

    Raises:
        UserError: If the file does not reproduce the network.
    """
    with warnings.catch_warnings():
        # torch.jit is no longer developed, but it is what this format is.
        warnings.simplefilter('ignore', DeprecationWarning)
        traced = torch.jit.trace(network, clips)
        torch.jit.save(
            traced, path, _extra_files={'meta.json': json.dumps(_kept(meta))}
        )
        loaded = torch.jit.load(path)
    _compare(network, loaded, clips, 'TorchScript')


def export_onnx(network: ClipNetwork, meta: Meta, clips: Tensor, path: Path) -> None:
    """Write ONNX with a free batch axis; the input convention is in its metadata.

    Args:
        network: The network.
        meta: Meta of its checkpoint.
        clips: Clips ``(N, 3, T, H, W)`` to trace with, N at least 2.
        path: The file to write.

    Raises:
        UserError: If a package is missing, or ONNX Runtime does not reproduce the
            network.
    """
    missing = [p for p in _ONNX_PACKAGES if importlib.util.find_spec(p) is None]
    if missing:
        raise UserError(
            f'ONNX needs {", ".join(missing)}', f'pip install {" ".join(missing)}'
        )
    import onnxruntime

    # It names every torchvision operator that it cannot find; no network needs one.
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    program = torch.onnx.export(
        network,
        (clips,),
        input_names=[_INPUT],
        output_names=[network.output],
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim(_BATCH, min=1)},),
        verbose=False,
    )
    assert program is not None
    for key, value in _kept(meta).items():
        program.model.metadata_props[key] = json.dumps(value)
    program.save(str(path), external_data=False)
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider']
    )

    def run(batch: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {_INPUT: batch.numpy()})[0])

    _compare(network, run, clips, 'ONNX')


FORMATS = {
    'backbone': export_backbone,
    'torchscript': export_torchscript,
    'onnx': export_onnx,
}
"""How to write each format."""


def export(
    config: Path,
    checkpoint: Path,
    path: Path,
    format_name: str,
    output: Output = 'feature',
    clip: tuple[int, int, int] = (16, 112, 112),
    branch: str | None = None,
) -> None:
    """Export a trained network; the file appears only if it reproduces the network.

    Args:
        config: Config of the model.
        checkpoint: Its checkpoint.
        path: The file to write.
        format_name: A key of :data:`FORMATS`.
        output: What the exported network returns, see
            :class:`~mmkd.zoo.clip_network.ClipNetwork`.
        clip: Frames, height and width of a clip.
        branch: Task whose own last stage to take, see
            :func:`~mmkd.zoo.clip_network.with_branch`. Defaults to None.

    Raises:
        UserError: If something cannot be read or written, or the result is not right.
    """
    network, meta = load_clip_network(config, checkpoint, output, branch)
    clips = torch.randn((2, 3, *clip), generator=torch.Generator().manual_seed(0))
    with replacing(path) as temporary, torch.no_grad():
        FORMATS[format_name](network, meta, clips, temporary)


def _kept(meta: Meta) -> Meta:
    """Return what a user of the weights must know; not logs and configs."""
    return {
        key: value
        for key, value in meta.items()
        if key in ('input_convention', 'network') or key.startswith('source_')
    }


def _compare(
    network: ClipNetwork, exported: Callable[[Tensor], Tensor], clips: Tensor, name: str
) -> None:
    """Compare on another batch size and on other pixels than those of the trace."""
    fresh = torch.cat([clips.flip(2), clips[:1] * 0.5])
    expected, mine = network(fresh), exported(fresh)
    error = float((expected - mine).abs().max() / expected.abs().max().clamp(min=1e-12))
    if expected.shape != mine.shape or not error <= _LARGEST_ERROR:
        raise UserError(
            f'the {name} file differs from the network by {error:.1e} of its largest '
            'value, so it was not written'
        )
