"""Save plain checkpoints (tensors and built-in types), and load them as data only.

From torch 2.6 on, ``torch.load`` refuses pickled objects, while MMEngine 0.10.7 lets
NumPy scalars, functions and whatever a hook adds into its checkpoints. Here they are
stored in a plain form; the refusal itself stays in force. MMEngine also runs text that
lies beside the weights as a config, which is Python. Here such text is dropped,
whichever way a checkpoint comes in.
"""

import functools
import io
import os
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mmkd.compat.patch import replace_in_mmengine
from mmkd.compat.plain import to_plain
from mmkd.errors import UserError
from mmkd.pickle_check import UnsafePickleError
from mmkd.state_dicts import check_finite, metadata_of, state_dict_of
from mmkd.tensor_check import UnreadableError
from mmkd.tensor_files import load_tensors, read_once

# Set by a user who wants pickled objects loaded; torch's own names.
_NO_CHECK = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
_FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'

SOURCE = 'input_source'
_INPUT, _PREPROCESSOR = 'input_convention', 'data_preprocessor'


def _plain_save(save: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(save)
    def save_checkpoint(checkpoint: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        # A state dict of weights is plain already, and carries the attribute
        # `_metadata` that a copy would lose.
        plain = {
            key: value if key.endswith('state_dict') else to_plain(value, key)
            for key, value in checkpoint.items()
        }
        save(plain, *args, **kwargs)

    return save_checkpoint


def _one_line_load(load: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``CheckpointLoader.load_checkpoint`` with one line for each fault.

    Every way of MMEngine to a checkpoint leads through it: ``load_from``, ``resume``,
    ``init_recognizer``, inferencers, ``Pretrained``, teachers, the zoo.
    """

    @functools.wraps(load)
    def load_checkpoint(filename: str, *args: Any, **kwargs: Any) -> Any:
        source = f'checkpoint {filename}'
        try:
            with _only_weights():
                checkpoint = load(filename, *args, **kwargs)
        except FileNotFoundError as error:
            raise UserError(f'{source} does not exist') from error
        except UnsafePickleError as error:
            raise _unsafe(source, error.names) from error
        except pickle.UnpicklingError as error:
            raise _unsafe(source, ['of unknown kind']) from error
        except UnreadableError as error:
            raise UserError(f'{source} {error.what}', error.remedy) from error
        if not isinstance(checkpoint, dict):
            raise UserError(f'{filename} is no checkpoint: it holds no dict')
        check_finite(checkpoint, source)
        checkpoint = as_data(checkpoint, source)
        carry_input(checkpoint, source)
        return checkpoint

    return load_checkpoint


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a file of ``torch.save``; read once, and checked before it is built.

    Replaces MMEngine's loader of local files.

    Raises:
        FileNotFoundError: If it is not there.
        UserError: If it cannot be read.
        UnsafePickleError: If it holds pickled objects.
        UnreadableError: If it is damaged or asks for much more memory than it has data.
    """
    data = read_once(os.path.expanduser(filename))
    trust = os.environ.get(_NO_CHECK, '').lower() in ('1', 'y', 'yes', 'true')
    return load_tensors(data, map_location, trust=trust)


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
) -> Any:
    """Load a checkpoint from an address, kept in torch's cache.

    Replaces the function of torch that MMEngine calls, with the same arguments.
    """
    from urllib.parse import urlparse

    from torch import hub

    folder = Path(model_dir or os.path.join(hub.get_dir(), 'checkpoints'))
    path = folder / (file_name or Path(urlparse(url).path).name)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        digits = hub.HASH_REGEX.search(path.name) if check_hash else None
        hub.download_url_to_file(
            url, str(path), digits.group(1) if digits else None, progress
        )
    return load_from_local(str(path), map_location)


def as_data(checkpoint: dict[str, Any], source: str) -> dict[str, Any]:
    """Return a checkpoint in MMEngine's form, without text that would be executed.

    Weights under ``model`` and the like are given the name ``state_dict``; a ``meta``
    of None counts as none. MMEngine executes ``meta['config']`` when it resumes, to
    compare the number of GPUs, and ``meta['cfg']`` or the ``cfg`` of the message hub
    when an inferencer is given no config: both go, but for that number.

    Raises:
        UserError: If it has no form that can be understood.
    """
    state = state_dict_of(checkpoint)
    if state is not checkpoint:
        checkpoint = {**checkpoint, 'state_dict': state}
    elif 'state_dict' in checkpoint:
        raise UserError(f'{source} has a state_dict that is no dict of tensors')
    if not all(isinstance(key, str) for key in [*checkpoint, *state]):
        raise UserError(f'{source} has a tensor or an entry whose name is no text')
    if checkpoint.get('meta', {}) is None:
        checkpoint['meta'] = {}
    meta = checkpoint.get('meta', {})
    if not isinstance(meta, dict):
        raise UserError(f'{source} has a meta that is no dict')
    config = meta.pop('config', None)
    devices = _gpu_ids(config) if isinstance(config, str) else None
    if devices is not None:
        meta['config'] = f'gpu_ids = {devices}'
    meta.pop('cfg', None)
    hub = checkpoint.get('message_hub')
    information = hub.get('runtime_info') if isinstance(hub, dict) else None
    if isinstance(information, MutableMapping):
        information.pop('cfg', None)
    return checkpoint


def _gpu_ids(config: str) -> list[int] | None:
    """Return the ``gpu_ids`` that the text of a config states, read as data."""
    listed = re.search(r'^gpu_ids *= *\[([0-9, \n]{0,4000})\]', config, re.MULTILINE)
    if listed:
        return [int(number) for number in re.findall(r'\d{1,6}', listed[1])]
    counted = re.search(
        r'^gpu_ids *= *range\((?:(\d{1,4}), *)?(\d{1,4})\)', config, re.MULTILINE
    )
    return list(range(int(counted[1] or 0), int(counted[2]))) if counted else None


@contextmanager
def _only_weights() -> Iterator[None]:
    """Force ``weights_only=True``, also where torch or the caller would not.

    torch < 2.6 unpickles by default. A user who set torch's own variable against it
    is not overruled.
    """
    if os.environ.get(_FORCE) or os.environ.get(_NO_CHECK):
        yield
        return
    os.environ[_FORCE] = '1'
    try:
        yield
    finally:
        del os.environ[_FORCE]


def _unsafe(source: str, names: Sequence[str], shown: int = 4) -> UserError:
    more = f' and {len(names) - shown} more' if len(names) > shown else ''
    return UserError(
        f'{source} holds pickled objects ({", ".join(names[:shown])}{more}), '
        'which could run code when loaded and are therefore refused',
        'Take one written by this version, or, where you trust whoever wrote it, '
        "rewrite it once with only its 'state_dict' in it.",
    )


def torch_refuses_numpy() -> bool:
    """Test whether torch refuses a NumPy scalar that it saved."""
    import torch

    file = io.BytesIO()
    torch.save({'score': np.float64(1)}, file)
    file.seek(0)
    try:
        torch.load(file, weights_only=True)
    except pickle.UnpicklingError:
        return True
    return False


def save_plain() -> None:
    """Make MMEngine save plain checkpoints."""
    from mmengine.runner import checkpoint

    save = checkpoint.save_checkpoint
    replace_in_mmengine(save, _plain_save(save))


def load_checked() -> None:
    """Make MMEngine check every checkpoint that it loads."""
    from mmengine.runner import checkpoint

    loader = checkpoint.CheckpointLoader
    loader.register_scheme('', load_from_local, force=True)
    checkpoint.load_url = load_url
    loader.load_checkpoint = staticmethod(_one_line_load(loader.load_checkpoint))


def register_kinds() -> None:
    """Teach MMEngine more kinds of checkpoint: ``mmkd://``, ``hf://``, safetensors.

    Whatever reads checkpoints through it understands them: ``load_from``, teachers,
    ``Pretrained`` initialisation, evaluation.
    """
    from mmengine.runner.checkpoint import CheckpointLoader

    CheckpointLoader.register_scheme('mmkd://', load_from_zoo, force=True)
    CheckpointLoader.register_scheme('hf://', load_from_hub, force=True)
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
    from mmkd.transfer.model_index import Index
    from mmkd.transfer.published import SCHEME, any_weights_of, local_or_cached
    from mmkd.weight_files import read_weights

    index = Index()
    model = index.find(filename.removeprefix(SCHEME))
    file = any_weights_of(model)
    # The very bytes that are loaded must be those published.
    content = read_weights(local_or_cached(index, model, file), file.sha256)
    return _moved(content, map_location)


def load_from_hub(filename: str, map_location: Any) -> Any:
    """Read the weights of ``hf://ORG/REPO...`` to a device; None means the CPU.

    Raises:
        UserError: If the file cannot be had, or holds more than weights.
    """
    from mmkd.transfer.hub import fetch_hub

    path = fetch_hub(filename)
    if path.suffix == '.safetensors':
        return load_from_safetensors(str(path), map_location)
    return load_from_local(str(path), map_location)


def load_from_safetensors(filename: str, map_location: Any) -> Any:
    """Read a safetensors file to a device; None means the CPU.

    Raises:
        UserError: If it is damaged.
    """
    from mmkd.weight_files import read_safetensors

    return _moved(read_safetensors(Path(filename).expanduser()), map_location)


def _moved(content: dict[str, Any], device: Any) -> dict[str, Any]:
    if isinstance(device, str) and device != 'cpu':
        weights = content['state_dict']
        for name, value in weights.items():
            weights[name] = value.to(device)
    return content


def carry_input(checkpoint: dict[str, Any], source: str) -> None:
    """Copy the input of a checkpoint to the preprocessor's metadata, in place.

    MMEngine's and MMAction2's programs build a model, load its state dict, and look at
    nothing else. What torch keeps beside a state dict, module by module, reaches the
    module of that name: here the entry of the meta, in which checkpoints of every
    release carry the input, and the source. A bare state dict is left as it is, but for
    the source.
    """
    bare = not isinstance(checkpoint.get('state_dict'), Mapping)
    state: Any = checkpoint if bare else checkpoint['state_dict']
    meta = {} if bare else checkpoint.get('meta') or {}
    found = meta.get(_INPUT)
    if found is None:  # that of a wrapped model
        found = metadata_of(state, _PREPROCESSOR).get(_INPUT)
    if found is None:
        return
    if not hasattr(state, '__dict__'):  # a plain dict takes no attribute
        if bare:
            return
        state = checkpoint['state_dict'] = OrderedDict(state)
    metadata = OrderedDict(getattr(state, '_metadata', None) or {})
    entry = metadata.get(_PREPROCESSOR) or {}
    metadata[_PREPROCESSOR] = {**entry, _INPUT: found, SOURCE: source}
    state._metadata = metadata
