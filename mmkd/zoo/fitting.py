"""Whether weights are those of a config's model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from mmkd.engine.load_weights import grouped
from mmkd.errors import UserError
from mmkd.models.teachers.state_hash import state_hash
from mmkd.registry import MODELS

_COUNTER = 'num_batches_tracked'
_BACKBONE = 'backbone.'
_TRAINING_ONLY = ('teacher.', 'teachers.', 'connectors.', 'distill_losses.')


def is_published(key: str, parts: Sequence[str] = ()) -> bool:
    """Return whether a weight is published: no teacher's, nothing that serves one.

    Args:
        key: Its name in the state dict.
        parts: First parts of the names to publish, as ``backbone``. Empty: all.
    """
    return not key.startswith(_TRAINING_ONLY) and (
        not parts or key.split('.')[0] in parts
    )


def problems_with(
    config: Path, weights: Mapping[str, Tensor], parts: Sequence[str] = ()
) -> list[str]:
    """Return what keeps weights from filling the published parts of a config's model.

    Args:
        config: The config; of a distiller the student counts.
        weights: Published weights.
        parts: What of the model they are. Empty: all.

    Raises:
        UserError: If the config is not there.
    """
    if not config.is_file():
        raise UserError(f'config {config} does not exist', 'Check the path.')
    model = Config.fromfile(config).model
    with DefaultScope.overwrite_default_scope('mmaction'), torch.random.fork_rng([]):
        built = MODELS.build(model.get('student', model))
    own = {k: v for k, v in built.state_dict().items() if is_published(k, parts)}
    missing = [k for k in own if k not in weights and not k.endswith(_COUNTER)]
    beyond = [k for k in weights if k not in own]
    # A memory bank is empty until it knows the length of the list.
    other = [
        k
        for k, v in own.items()
        if k in weights and v.numel() and v.shape != weights[k].shape
    ]
    found = {
        'missing': missing,
        'beyond the config': beyond,
        'of another shape': other,
    }
    return [f'{what}: {grouped(keys)}' for what, keys in found.items() if keys]


def backbone_fingerprint(weights: Mapping[str, Tensor]) -> str:
    """Return the fingerprint by which ``tools/evaluate.py`` names a backbone.

    Args:
        weights: Weights with ``backbone.*``; half precision counts as what it becomes
            in a network of single precision.
    """
    return state_hash(
        {
            key.removeprefix(_BACKBONE): value.float()
            if value.is_floating_point()
            else value
            for key, value in weights.items()
            if key.startswith(_BACKBONE)
        }
    )
