"""Check the compatibility of weights with the model of a config."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine.registry import DefaultScope
from torch import Tensor

from mmkd.config_files import read_config
from mmkd.engine.load_weights import grouped
from mmkd.errors import UserError
from mmkd.models.label_classes import fill_in_classes
from mmkd.models.memory import FeatureQueue
from mmkd.models.teacher import state_hash
from mmkd.registry import MODELS

_COUNTER = 'num_batches_tracked'
_BACKBONE = 'backbone.'
_TRAINING_ONLY = ('teacher.', 'teachers.', 'connectors.', 'distill_losses.')


def is_published(key: str, parts: Sequence[str] = ()) -> bool:
    """Return whether a weight is published: no teacher's, nothing that serves one.

    ``parts`` are first parts of the names to publish, as ``backbone``; empty: all.
    """
    return not key.startswith(_TRAINING_ONLY) and (
        not parts or key.split('.')[0] in parts
    )


def mismatches(
    config: Path, weights: Mapping[str, Tensor], parts: Sequence[str] = ()
) -> list[str]:
    """Return why weights do not fill the published parts of a config's model.

    Of a distiller the student counts.

    Raises:
        UserError: If the config is not there.
    """
    cfg = read_config(config)
    fill_in_classes(cfg)
    model = cfg.get('model')
    if not model:
        raise UserError(f'{config} has no model', 'Use the config of a training.')
    with DefaultScope.overwrite_default_scope('mmaction'), torch.random.fork_rng([]):
        built = MODELS.build(model.get('student', model))
    own = {k: v for k, v in built.state_dict().items() if is_published(k, parts)}
    missing = [k for k in own if k not in weights and not k.endswith(_COUNTER)]
    beyond = [k for k in weights if k not in own]
    # A queue is as long as its run had it, which is no property of the network.
    queues = {
        f'{name}.features'
        for name, module in built.named_modules()
        if isinstance(module, FeatureQueue)
    }
    # A memory bank is empty until it knows the length of the list.
    sized = [k for k, v in own.items() if k in weights and v.numel()]
    other = [
        k
        for k in sized
        if own[k].shape[k in queues :] != weights[k].shape[k in queues :]
    ]
    found = {'missing': missing, 'beyond the config': beyond, 'of another shape': other}
    return [f'{kind}: {grouped(keys)}' for kind, keys in found.items() if keys]


def backbone_fingerprint(weights: Mapping[str, Tensor]) -> str:
    """Return the fingerprint by which ``tools/evaluate.py`` names a backbone.

    Half precision counts as what it becomes in a network of single precision.
    """
    backbone = {
        key.removeprefix(_BACKBONE): value
        for key, value in weights.items()
        if key.startswith(_BACKBONE)
    }
    return state_hash(
        {k: v.float() if v.is_floating_point() else v for k, v in backbone.items()}
    )
