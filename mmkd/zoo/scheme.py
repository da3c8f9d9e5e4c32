"""Teach MMEngine two more kinds of checkpoint: ``mmkd://NAME`` and safetensors.

Whatever reads checkpoints through MMEngine understands them: ``load_from``, teachers,
``Pretrained`` initialisation, evaluation.
"""

from pathlib import Path
from typing import Any


def register() -> None:
    """Register both with MMEngine's ``CheckpointLoader``."""
    from mmengine.runner.checkpoint import CheckpointLoader

    CheckpointLoader.register_scheme('mmkd://', load_from_zoo, force=True)
    # MMEngine matches its "prefixes" as regular expressions, from the start. That for
    # plain paths is the empty one, which comes last.
    CheckpointLoader.register_scheme(
        r'(?!\w+:).*\.safetensors$', load_from_safetensors, force=True
    )


def load_from_zoo(filename: str, map_location: Any) -> Any:
    """Read the weights of ``mmkd://NAME`` to a device; None means the CPU.

    Raises:
        UserError: If the model or its file cannot be had.
    """
    from mmkd.zoo.download import SCHEME, any_weights_of, local_or_cached
    from mmkd.zoo.index import Index
    from mmkd.zoo.weight_files import read_weights

    index = Index()
    model = index.find(filename.removeprefix(SCHEME))
    file = any_weights_of(model)
    # The very bytes that are loaded must be those published.
    content = read_weights(local_or_cached(index, model, file), file.sha256)
    return _moved(content, map_location)


def load_from_safetensors(filename: str, map_location: Any) -> Any:
    """Read a safetensors file to a device; None means the CPU.

    Raises:
        UserError: If it is damaged.
    """
    from mmkd.zoo.weight_files import read_safetensors

    return _moved(read_safetensors(Path(filename).expanduser()), map_location)


def _moved(content: dict[str, Any], device: Any) -> dict[str, Any]:
    if isinstance(device, str) and device != 'cpu':
        weights = content['state_dict']
        for name, value in weights.items():
            weights[name] = value.to(device)
    return content
