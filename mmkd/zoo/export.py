"""Export a trained network: bare weights, TorchScript or ONNX."""

import importlib.util
import io
import json
import logging
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmkd.config_files import read_config
from mmkd.engine.load_weights import load_weights
from mmkd.errors import UserError
from mmkd.files import replacing
from mmkd.models.heads import pool_map
from mmkd.models.input_adoption import say, settled_input
from mmkd.models.input_convention import KEY
from mmkd.registry import MODELS
from mmkd.tensor_files import save_into
from mmkd.weight_files import read_source

Meta = dict[str, Any]

_INPUT, _BATCH = 'clips', 'batch'
_ONNX_PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')
_LARGEST_ERROR = 1e-4  # of the largest value; float32 kernels differ by about 1e-6
Output = Literal['feature', 'map', 'scores']
_BRANCHES = 'representations.branches.'


class ClipNetwork(nn.Module):
    """A backbone, and its classifier where scores are asked for.

    Args:
        backbone: Maps clips ``(N, 3, T, H, W)`` to ``(N, C, t, h, w)``.
        cls_head: Maps that to class scores; needed for ``output='scores'`` only.
        output: ``'feature'``: the map's mean ``(N, C)``; ``'map'``: the map itself;
            ``'scores'``: the head's scores ``(N, classes)`` before any softmax.
    """

    def __init__(
        self, backbone: nn.Module, cls_head: nn.Module | None, output: Output
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.cls_head = cls_head
        self.output = output

    def forward(self, clips: Tensor) -> Tensor:
        """Return the output for normalised clips ``(N, 3, T, H, W)``."""
        last = self.backbone(clips)
        if self.output == 'map':
            return last
        return pool_map(last) if self.cls_head is None else self.cls_head(last)


def load_clip_network(
    config: Path,
    checkpoint: Path,
    output: Output = 'feature',
    branch: str | None = None,
) -> tuple[ClipNetwork, dict[str, Any]]:
    """Build the network of a config, in eval mode, and fill it from a checkpoint.

    Args:
        config: A config of any method; of a distiller the student counts.
        checkpoint: A checkpoint with ``backbone.*`` (and ``cls_head.*`` for scores).
        output: See :class:`ClipNetwork`.
        branch: A task with a last stage of its own
            (:class:`~mmkd.methods.human_prior.OwnLastStage`), to take that stage
            instead of the backbone's.

    Returns:
        The network, and the meta of the checkpoint with the input convention, where
        anything says it.

    Raises:
        UserError: If a file cannot be read, the checkpoint lacks a tensor or the
            branch, or it was trained with another input than the config names.
    """
    model = read_config(config).get('model')
    if not model:
        raise UserError(f'{config} has no model', 'Use the config of a training.')
    model = model.get('student', model)
    if output == 'scores' and not model.get('cls_head'):
        raise UserError(
            f'{config} has no cls_head, hence no scores', 'Ask for the feature.'
        )
    with DefaultScope.overwrite_default_scope('mmaction'):
        head = MODELS.build(model.cls_head) if output == 'scores' else None
        network = ClipNetwork(MODELS.build(model.backbone), head, output)
    source = read_source(checkpoint)
    named = f'checkpoint {checkpoint}'
    tensors = source.tensors
    if branch is not None:
        tensors = _with_branch(tensors, branch, named)
    report = load_weights(network, tensors)
    report.raise_if_useless(named)
    report.raise_if_incomplete(named)
    network.eval()
    meta = dict(source.meta)
    fed = settled_input(config, meta, named)
    return network, meta if fed is None else {**meta, KEY: fed.as_dict()}


def _with_branch(
    tensors: dict[str, Tensor], branch: str, source: str
) -> dict[str, Tensor]:
    """Return weights whose backbone ends with the last stage of one task."""
    inner = {
        key.removeprefix(_BRANCHES): value
        for key, value in tensors.items()
        if key.startswith(_BRANCHES)
    }
    there = dict.fromkeys(key.split('.')[0] for key in inner)
    if branch not in there:
        raise UserError(
            f'{source} has no branch {branch!r}; it has: {", ".join(there) or "none"}',
            'Leave --branch out, or name one of them.',
        )
    stage = {
        f'backbone.{key.removeprefix(f"{branch}.")}': value
        for key, value in inner.items()
        if key.startswith(f'{branch}.')
    }
    return {**tensors, **stage}


def export_backbone(
    network: ClipNetwork, meta: Meta, clips: Tensor, path: Path
) -> None:
    """Write ``backbone.*`` and the meta as a checkpoint, and nothing else."""
    weights = OrderedDict(
        (f'backbone.{name}', value.clone())
        for name, value in network.backbone.state_dict().items()
    )
    save_into({'state_dict': weights, 'meta': _kept(meta)}, path)


def export_torchscript(
    network: ClipNetwork, meta: Meta, clips: Tensor, path: Path
) -> None:
    """Trace the network; the file ``meta.json`` inside holds the input convention.

    N of the clips ``(N, 3, T, H, W)`` to trace with is free afterwards.

    Raises:
        UserError: If the file does not reproduce the network.
    """
    with warnings.catch_warnings():
        # torch.jit is no longer developed, but it is what this format is.
        warnings.simplefilter('ignore', DeprecationWarning)
        traced = torch.jit.trace(network, clips)
        buffer = io.BytesIO()  # torch's own writing hides why a disk refuses
        torch.jit.save(
            traced, buffer, _extra_files={'meta.json': json.dumps(_kept(meta))}
        )
        path.write_bytes(buffer.getvalue())
        loaded = torch.jit.load(path)
    _compare(network, loaded, clips, 'TorchScript')


def export_onnx(network: ClipNetwork, meta: Meta, clips: Tensor, path: Path) -> None:
    """Write ONNX with a free batch axis; the input convention is in its metadata.

    The clips ``(N, 3, T, H, W)`` to trace with have to be at least 2.

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
        output: What the exported network returns, see :class:`ClipNetwork`.
        clip: Frames, height and width of a clip.
        branch: Task whose own last stage to take, see :func:`load_clip_network`.

    Raises:
        UserError: If something cannot be read or written, or the result is not right.
    """
    network, meta = load_clip_network(config, checkpoint, output, branch)
    if KEY not in meta:
        text = (
            f'neither checkpoint {checkpoint} nor {config} says the input convention '
            'of the network, so the exported file does not either'
        )
        say(('warning', text))
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
    expected, actual = network(fresh), exported(fresh)
    error = float(
        (expected - actual).abs().max() / expected.abs().max().clamp(min=1e-12)
    )
    if expected.shape != actual.shape or not error <= _LARGEST_ERROR:
        raise UserError(
            f'the {name} file differs from the network by {error:.1e} of its largest '
            'value, so it was not written'
        )
