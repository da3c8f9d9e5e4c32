"""Find the class that each dict of a config is for, and the arguments it takes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mmaction import registry as stock
from mmengine import registry as root
from mmengine.hooks import CheckpointHook
from mmengine.registry import Registry

from mmkd import registry
from mmkd.engine.signatures import (
    WHOLE,
    accepted_arguments,
    drops_others,
    numeric_arguments,
)
from mmkd.errors import UserError

ConfigPath = tuple[str | int, ...]
"""Keys and indices that lead to a dict, e.g. ``('model', 'tasks', 'skd')``."""

PREFIX = 'mmkd.'
CONFIG_ONLY = {'type', '_scope_', '_delete_'}
OURS = [value for value in vars(registry).values() if isinstance(value, Registry)]

_MODEL = (stock.MODELS, stock.WEIGHT_INITIALIZERS, stock.TASK_UTILS)
_DATA = (stock.DATASETS, stock.TRANSFORMS, stock.DATA_SAMPLERS, root.FUNCTIONS)
_OPTIMIZER = (stock.OPTIM_WRAPPERS, stock.OPTIMIZERS)
_HOOK = (stock.HOOKS, *_MODEL, *_DATA, stock.METRICS)
_METRIC = (stock.EVALUATOR, stock.METRICS)

# Where in a config the types of which registries stand.
_ROLES: dict[str, Sequence[Registry]] = {
    'model': _MODEL,
    'tta_model': _MODEL,
    'data_preprocessor': _MODEL,
    'model_wrapper_cfg': (stock.MODEL_WRAPPERS,),
    'train_dataloader': _DATA,
    'val_dataloader': _DATA,
    'test_dataloader': _DATA,
    'train_cfg': (stock.LOOPS,),
    'val_cfg': (stock.LOOPS,),
    'test_cfg': (stock.LOOPS,),
    'optim_wrapper': _OPTIMIZER,
    'param_scheduler': (stock.PARAM_SCHEDULERS,),
    'val_evaluator': _METRIC,
    'test_evaluator': _METRIC,
    'default_hooks': _HOOK,
    'custom_hooks': _HOOK,
    'visualizer': (stock.VISUALIZERS, stock.VISBACKENDS),
    'log_processor': (stock.LOG_PROCESSORS,),
}

# Where MMEngine assumes a type.
_IMPLIED: dict[ConfigPath, str] = {
    ('val_cfg',): 'ValLoop',
    ('test_cfg',): 'TestLoop',
    ('optim_wrapper',): 'OptimWrapper',
    ('log_processor',): 'LogProcessor',
    ('visualizer',): 'Visualizer',
}

# What a builder takes out of a dict before the class sees it.
_BUILDERS = {
    stock.LOOPS: {'by_epoch'},
    stock.HOOKS: {'priority'},
    stock.PARAM_SCHEDULERS: {'convert_to_iter_based'},
    stock.OPTIM_WRAPPERS: {'constructor', 'paramwise_cfg'},
    stock.WEIGHT_INITIALIZERS: {'override', 'name'},
    stock.MODELS: {'requires_grad'},  # of a norm layer
}

STOCK_HOOKS = {
    *('runtime_info', 'timer', 'sampler_seed', 'logger'),
    *('param_scheduler', 'checkpoint'),
}
"""Names of MMEngine's default hooks."""

# Dicts that no class describes.
_SETTINGS: dict[ConfigPath, set[str]] = {
    ('randomness',): {'seed', 'diff_rank_seed', 'deterministic'},
    ('env_cfg',): {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    ('env_cfg', 'mp_cfg'): {'mp_start_method', 'opencv_num_threads'},
    ('auto_scale_lr',): {'base_batch_size', 'enable'},
    ('default_hooks',): STOCK_HOOKS,
    ('optim_wrapper', 'paramwise_cfg'): {
        *('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult'),
        *('flat_decay_mult', 'dwconv_decay_mult', 'dcn_offset_lr_mult'),
        'bypass_duplicate',
    },
    ('optim_wrapper', 'clip_grad'): {
        *('type', 'max_norm', 'norm_type', 'error_if_nonfinite', 'foreach'),
        'clip_value',
    },
}
# Names in them are the user's: of parameters, and what torch's start of a group takes.
FREE = {'custom_keys', 'dist_cfg'}

_LOADER = {'num_batch_per_epoch', 'disable_subprocess_warning'}


def walk(
    cfg: Mapping[str, Any], *parts: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every dict of a config with its path, e.g. ``model.tasks.skd``.

    Args:
        cfg: The config.
        *parts: Top-level names to look under. Defaults to none: everywhere.
    """
    for part in parts:
        for path, node in walk_paths(cfg.get(part), (part,)):
            yield written(path), node
    if not parts:
        for path, node in walk_paths(cfg):
            yield written(path), node


def walk_paths(
    node: Any, path: ConfigPath = ()
) -> Iterator[tuple[ConfigPath, Mapping[str, Any]]]:
    """Yield every dict of a config with the keys and indices that lead to it."""
    if isinstance(node, Mapping):
        yield path, node
        for key, value in node.items():
            yield from walk_paths(value, (*path, key))
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from walk_paths(value, (*path, index))


def written(path: ConfigPath) -> str:
    """Return a path in text form, e.g. ``pipeline[1].transforms[0]``."""
    parts = (f'[{part}]' if isinstance(part, int) else f'.{part}' for part in path)
    return ''.join(parts).removeprefix('.')


@dataclass(frozen=True)
class AcceptedNames:
    """Names and values that a dict of a config may have.

    Attributes:
        name: Of the class, as the config has it, or of the dict.
        known: Names that it takes.
        closed: Whether these are all.
        drops: Whether others are taken, and nothing is done with them.
        numbers: What those take that are numbers, in words, by name.
        instead_of: What to do instead of giving some that are not taken.
    """

    name: str
    known: set[str]
    closed: bool
    numbers: Mapping[str, str] = field(default_factory=dict)
    instead_of: Mapping[str, str] = field(default_factory=dict)
    drops: bool = False

    def allows(self, name: str, value: Any, or_none: bool = False) -> bool:
        """Tell whether a name may stand here, as further hooks among the default ones.

        Args:
            name: The name.
            value: What it would have.
            or_none: Whether a hook may be None, which takes it out.
        """
        hook = isinstance(value, Mapping) and 'type' in value
        own = hook or (or_none and value is None)
        return name in self.known or (own and self.name == 'default_hooks')

    def refuse(
        self, name: str, where: str, closed: bool, beside: Iterable[str] = ()
    ) -> None:
        """Refuse a name that is not known.

        Where arguments are passed on to who knows whom, only an evident slip counts.

        Args:
            name: The name.
            where: Where it stands, for the message.
            closed: Whether the known ones are all.
            beside: Further names that may be meant.

        Raises:
            UserError: If it is wrong.
        """
        known = self.known | set(beside)
        nearest = nearest_names(name, known, 0.6 if closed else 0.8)
        hint = self.instead_of.get(name) or nearest
        if closed or hint:
            takes = f'It takes: {", ".join(sorted(self.known)) or "none"}.'
            raise UserError(
                f'{where}: {self.name} has no argument {name!r}', hint or takes
            )


def nearest_names(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the question whether a similar name is meant; '' if there is none."""
    nearest = get_close_matches(name, list(known), n=3, cutoff=cutoff)
    return f'Did you mean {" or ".join(nearest)}?' if nearest else ''


def accepted_names(
    path: ConfigPath, node: Mapping[str, Any], cfg: Mapping[str, Any]
) -> AcceptedNames | None:
    """Return what may stand in a dict of a config; None if nothing says so."""
    wrapper, usual = cfg.get('optim_wrapper'), 'DefaultOptimWrapperConstructor'
    # Something else than MMEngine's constructor reads the options.
    free = isinstance(wrapper, Mapping) and wrapper.get('constructor', usual) != usual
    if path in _SETTINGS:
        if path[-1] == 'paramwise_cfg' and free:
            return None
        return AcceptedNames('.'.join(map(str, path)), _SETTINGS[path], True)
    if len(path) == 1 and str(path[0]).endswith('_dataloader'):
        from torch.utils.data import DataLoader

        known = accepted_arguments(DataLoader)[0] | _LOADER
        numbers = dict.fromkeys(('batch_size', 'num_workers', 'prefetch_factor'), WHOLE)
        return AcceptedNames(str(path[0]), known - {'self'}, True, numbers)
    kind = _type_of(path, node)
    found = kind and find_class(kind, path)
    if not found:
        return None
    cls, owner = found
    try:
        known, closed = accepted_arguments(cls)
    except (TypeError, ValueError):  # no signature, as of what is written in C
        return None
    if owner is stock.OPTIM_WRAPPERS and free:
        closed = False
    name = kind if isinstance(kind, str) else cls.__name__
    known = known | _BUILDERS.get(owner, set())
    if cls is CheckpointHook:
        # Others go to Runner.save_checkpoint, which says so at the first checkpoint.
        known, closed = known | {'meta'}, True
    instead = getattr(cls, 'instead_of', {})
    return AcceptedNames(
        name=name,
        known=known - set(instead),
        closed=closed,
        numbers=numeric_arguments(cls),
        instead_of=instead,
        drops=drops_others(cls),
    )


def find_class(
    kind: Any, path: ConfigPath = ()
) -> tuple[Callable[..., Any], Registry | None] | None:
    """Return the class of a type and the registry that it stands in.

    Args:
        kind: ``type`` of a dict: a name, or the class itself.
        path: Where the dict stands; what is not of mmkd is sought in the registries of
            this part of a config.
    """
    roles = _ROLES.get(str(path[0]), ()) if path else ()
    if not isinstance(kind, str):
        has = (r for r in roles if any(kind in d.values() for d in _with_parent(r)))
        return (kind, next(has, None)) if callable(kind) else None
    if kind.startswith(PREFIX):
        return _find_ours(kind.removeprefix(PREFIX), roles)
    for one in roles:
        try:
            found = one.get(kind)
        except Exception:  # of a package that is not installed
            found = None
        if found is not None:
            return found, one
    return None


def _find_ours(
    name: str, roles: Sequence[Registry]
) -> tuple[Callable[..., Any], Registry | None] | None:
    """Find a type in mmkd's own registries.

    Not by ``Registry.get``: MMEngine takes what mmkd lacks from its own registries,
    where mmcv and MMEngine have a RandomGrayscale and an AmpOptimWrapper as well.
    """
    parents = {one.parent: one for one in reversed(roles) if one.parent is not None}
    # Where a name stands twice, that of this part of a config is meant.
    for ours in sorted(OURS, key=lambda each: each.parent not in parents):
        ours.import_from_location()
        if name in ours.module_dict:
            return ours.module_dict[name], parents.get(ours.parent)
    return None


def names_for(path: ConfigPath) -> list[str]:
    """Return the names of all types that may stand at a path."""
    roles = _ROLES.get(str(path[0]), ()) if path else ()
    names = [name for one in roles for each in _with_parent(one) for name in each]
    ours = [PREFIX + key for one in OURS for key in one.module_dict]
    return [*dict.fromkeys(names), *ours]


def _with_parent(one: Registry) -> list[dict[str, Any]]:
    parents = (one.parent,) if one.parent is not None else ()
    return [each.module_dict for each in (one, *parents)]


def _type_of(path: ConfigPath, node: Mapping[str, Any]) -> Any:
    if node.get('type') is not None:
        return node['type']
    if path == ('train_cfg',) and 'by_epoch' in node:
        return 'EpochBasedTrainLoop' if node['by_epoch'] else 'IterBasedTrainLoop'
    return _IMPLIED.get(path)
