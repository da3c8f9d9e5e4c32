"""Find the state dict of a checkpoint, however it is wrapped."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from mmkd.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

_KEYS = ('state_dict', 'model', 'model_state_dict', 'net')
# Of DataParallel and its kin, and of torch.compile; at any depth.
_WRAPPERS = {'module', '_orig_mod'}
_MODEL = 'model'  # the attribute under which Lightning and others keep the network


def state_dict_of(content: Any) -> Any:
    """Return the state dict of a checkpoint: what is under the first of its names."""
    if isinstance(content, Mapping):
        for key in _KEYS:
            if isinstance(content.get(key), Mapping):
                return content[key]
    return content


def named_tensors(
    content: Any, own: Collection[str] = (), source: str = 'the checkpoint'
) -> 'dict[str, Tensor]':
    """Return the tensors of a checkpoint by the names that a model gives them.

    Parts ``module`` (of DataParallel) and ``_orig_mod`` (of ``torch.compile``) are left
    out wherever they stand, and ``model.`` where all names begin so, unless the model
    has a tensor of the very name. What is no tensor is left out.

    Args:
        content: What was loaded, see :func:`state_dict_of`.
        own: Names of the model's tensors. Defaults to none: unknown.
        source: What messages call the checkpoint.

    Raises:
        UserError: If two tensors have one name then, or one has none.
    """
    import torch  # here, so that ``import mmkd`` does not import torch

    state = state_dict_of(content)
    if not isinstance(state, Mapping):
        return {}
    found = {k: v for k, v in state.items() if isinstance(v, torch.Tensor)}
    if not all(isinstance(key, str) for key in found):
        raise UserError(f'{source} has a tensor whose name is no text')
    names = plain_names(list(found), own)
    tensors: dict[str, Tensor] = {}
    for key, value in found.items():
        if names[key] in tensors:
            raise UserError(
                f'{source} holds {names[key]} twice, once as {key}',
                'Save the network that you mean in a file by itself.',
            )
        tensors[names[key]] = value
    return tensors


def plain_names(keys: Collection[str], own: Collection[str] = ()) -> dict[str, str]:
    """Return the name inside a model of every key of a state dict."""
    known = {_unwrapped(name): name for name in own} | {name: name for name in own}
    names = {key: known.get(key, _unwrapped(key)) for key in keys}
    while True:
        names = {key: known.get(name, name) for key, name in names.items()}
        foreign = [name for name in names.values() if name not in known]
        if not foreign or not all(name.startswith(f'{_MODEL}.') for name in foreign):
            return names
        names = {
            key: name if name in known else name.removeprefix(f'{_MODEL}.')
            for key, name in names.items()
        }


def plain_metadata(
    state: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what PyTorch keeps of each module beside a state dict, by plain paths."""
    metadata = getattr(state, '_metadata', None)
    if not isinstance(metadata, Mapping):
        return None
    bare = any(
        _unwrapped(key).startswith(f'{_MODEL}.') and not name.startswith(f'{_MODEL}.')
        for key, name in names.items()
    )
    known = {k.rpartition('.')[0]: v.rpartition('.')[0] for k, v in names.items()}
    result: dict[str, Any] = {}
    for path, entry in metadata.items():
        plain = known.get(path, _unwrapped(f'{path}.x').removesuffix('x').rstrip('.'))
        if bare and path not in known:
            plain = '' if plain == _MODEL else plain.removeprefix(f'{_MODEL}.')
        result.setdefault(plain, entry)
    return result


def metadata_of(state: Mapping[str, Any], module: str) -> Mapping[str, Any]:
    """Return what PyTorch keeps beside the state of one module, however wrapped."""
    names = plain_names([key for key in state if isinstance(key, str)])
    return (plain_metadata(state, names) or {}).get(module) or {}


def _unwrapped(key: str) -> str:
    parts = key.split('.')
    # The last part is the tensor's own name.
    kept = [part for part in parts[:-1] if part not in _WRAPPERS]
    return '.'.join([*kept, parts[-1]])


def check_finite(content: Any, source: str) -> None:
    """Refuse weights that are no numbers.

    A buffer of nothing but 0 and minus infinity is a mask, as attention has them, and
    is let through.

    Raises:
        UserError: If a tensor has NaN or infinity in it.
    """
    import torch

    state = state_dict_of(content)
    if not isinstance(state, Mapping):
        return
    bad = [
        str(key)
        for key, value in state.items()
        if isinstance(value, torch.Tensor) and not _is_finite(value)
    ]
    if bad:
        more = f' and {len(bad) - 3} more tensors' if len(bad) > 3 else ''
        raise UserError(
            f'{source} has NaN or infinity in {", ".join(bad[:3])}{more}',
            'Take an earlier one: such weights compute nothing.',
        )


def _is_finite(value: 'Tensor') -> bool:
    import torch

    if not (value.is_floating_point() or value.is_complex()):
        return True
    finite = torch.isfinite(value.detach())
    if bool(finite.all()):
        return True
    if value.is_complex():
        return False
    masked = torch.isneginf(value) | (value == 0)
    return bool(masked.all()) and bool(finite.any())
