"""Publish a checkpoint: stripped, named by its hash, and entered in the metafile."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkd.compat.plain import to_plain
from mmkd.config_files import read_config
from mmkd.errors import UserError
from mmkd.files import read_small_text, replacing
from mmkd.models.input_adoption import settled_input
from mmkd.models.input_convention import KEY
from mmkd.transfer.model_index import Index, ZooFile, check_name, index_path, read_entry
from mmkd.version import __version__
from mmkd.weight_files import read_source, to_pth, to_safetensors
from mmkd.zoo.fitting import backbone_fingerprint, is_published, problems_with
from mmkd.zoo.metafile import (
    entry_of,
    list_facts,
    metafile_of,
    only_collection,
    read_results,
    write_entry,
)
from mmkd.zoo.tables import write_tables

_FORMS = {'pth': to_pth, 'safetensors': to_safetensors}
_KEPT_META = ('input_convention', 'dataset_meta', 'epoch', 'iter', 'seed')


@dataclass(frozen=True)
class Publication:
    """What to publish."""

    checkpoint: Path  # the checkpoint of the training
    name: str  # name in the zoo
    config: str  # its config, seen from the folder of the index
    # report of tools/evaluate.py or tools/test.py on these weights
    metrics: Path | None = None
    log: Path | None = None
    collection: str | None = None  # the method, where the metafile does not say it
    # first parts of the weights to publish. Empty: all but teachers.
    parts: tuple[str, ...] = ()
    half: bool = False  # store in half precision
    # of the weights: pth, safetensors or both
    forms: tuple[str, ...] = ('pth', 'safetensors')
    # what else to say of the training, e.g. what it started from.
    note: str | None = None
    out: Path | None = None  # folder of the files. None: zoo beside the index.
    # where out will be found on the net. None: it is part of the project.
    address: str | None = None


def publish(what: Publication) -> list[Path]:
    """Write the files of a model, then its entry, then the table of the zoo's README.

    The optimiser, teachers and whatever hooks stored are left out. Files are a function
    of the checkpoint; publishing again with the report of an evaluation changes the
    entry only. Files of an earlier publication of that name are removed at the end.

    Returns:
        The files of the zoo: the weights in each form, and perhaps the log.

    Raises:
        UserError: If something cannot be read or written, the weights do not fill the
            config's model, half precision cannot hold them, or the report is of other
            weights.
    """
    check_name(what.name)
    root = index_path().parent
    metafile = metafile_of(what.config)
    weights, meta = _stripped(what, root / what.config)
    folder = what.out or root / 'zoo'
    contents = {f'.{form}': _FORMS[form](weights, meta) for form in what.forms}
    if what.log:
        contents['.log'] = _log(what.log)
    files = {suffix: _file(what.name, suffix, x) for suffix, x in contents.items()}
    old = entry_of(metafile, what.name)
    entry = _entry(what, metafile, old, meta, files)
    earlier = {file.name for file in read_entry(old, metafile).files} if old else set()
    there = Index().models.get(what.name)
    if there and not old:  # names are unique over all metafiles
        raise UserError(
            f'{what.name} is the name of {there.config} already', 'Choose another.'
        )
    with _removed_on_failure(folder / file.name for file in files.values()):
        for suffix, content in contents.items():
            with replacing(folder / files[suffix].name) as temporary:
                temporary.write_bytes(content)
        write_entry(metafile, entry)
    if what.out is None:
        for name in earlier - {file.name for file in files.values()}:
            (folder / name).unlink(missing_ok=True)
        write_tables(Index(), folder)
    return [folder / file.name for file in files.values()]


@contextmanager
def _removed_on_failure(paths: Iterable[Path]) -> Iterator[None]:
    """If the body fails, remove the files that it made: no entry names them."""
    new = [path for path in paths if not path.exists()]
    try:
        yield
    except BaseException:
        for path in new:
            path.unlink(missing_ok=True)
        raise


def _stripped(
    what: Publication, config: Path
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights to publish and what to say of them."""
    source = read_source(what.checkpoint)
    weights = {k: v for k, v in source.tensors.items() if is_published(k, what.parts)}
    problems = problems_with(config, weights, what.parts)
    if problems or not weights:
        raise UserError(
            f'{what.checkpoint} is not of {what.config}: '
            f'{"; ".join(problems) or "it has none of these parts"}',
            'Give the config that it was trained with.',
        )
    if what.half:
        weights = {name: _halved(name, value) for name, value in weights.items()}
    kept = {key: source.meta[key] for key in _KEPT_META if key in source.meta}
    fed = settled_input(config, source.meta, f'checkpoint {what.checkpoint}')
    if fed is not None:
        kept[KEY] = fed.as_dict()
    meta = {
        **to_plain(kept, 'meta'),
        'name': what.name,
        'config': what.config,
        'parts': sorted({name.split('.')[0] for name in weights}),
        'stored_as': 'float16' if what.half else 'float32',
        'backbone': backbone_fingerprint(weights),
        'mmkd_version': __version__,
    }
    try:
        return weights, json.loads(json.dumps(meta))
    except (TypeError, ValueError) as error:
        what_is = f'the meta of {what.checkpoint} is not plain: {error}'
        raise UserError(what_is) from error


def _halved(name: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.to(torch.float16)
    if not torch.isfinite(half).all():
        raise UserError(
            f'{name} has values that half precision cannot hold',
            'Publish without --half.',
        )
    return half


def _log(path: Path) -> bytes:
    """Return a log without the folder that it was written in."""
    try:
        text = read_small_text(path)
    except (OSError, ValueError) as error:
        raise UserError(f'the log {path} cannot be read ({error})') from error
    for folder in dict.fromkeys((str(Path.cwd()), str(Path.home()))):
        if len(Path(folder).parts) > 1:
            text = text.replace(folder, '.' if folder == str(Path.cwd()) else '~')
    return text.encode()


def _file(name: str, suffix: str, content: bytes) -> ZooFile:
    digest = hashlib.sha256(content).hexdigest()
    return ZooFile(f'{name}-{digest[:8]}{suffix}', len(content), digest)


def _entry(
    what: Publication,
    metafile: Path,
    old: Mapping[str, Any],
    meta: Mapping[str, Any],
    files: Mapping[str, ZooFile],
) -> dict[str, Any]:
    collection = what.collection or old.get('In Collection')
    config = str(index_path().parent / what.config)
    results = []
    if what.metrics:
        results = read_results(what.metrics, what.config, str(meta['backbone']))
    place = what.address.rstrip('/') if what.address else 'zoo'
    entry = {
        'Name': what.name,
        'In Collection': collection or only_collection(metafile),
        'Config': what.config,
        'Metadata': {
            **(old.get('Metadata') or {}),
            'Epochs': _epochs(meta, config),
            **({'Note': what.note} if what.note else {}),
            'Parts': ', '.join(meta['parts']),
            'Stored As': meta['stored_as'],
            'Backbone Fingerprint': meta['backbone'],
        },
        'Training List': list_facts(config, 'train_dataloader'),
        **({'Results': results} if results else {}),
        'Weights': f'{place}/{files[f".{what.forms[0]}"].name}',
        **({'Training Log': f'{place}/{files[".log"].name}'} if what.log else {}),
        'Files': [
            {'Name': file.name, 'Size': file.size, 'SHA256': file.sha256}
            for file in files.values()
        ],
    }
    read_entry(entry, metafile)  # what is written can be read
    return entry


def _epochs(meta: Mapping[str, Any], config: str) -> str:
    """Return how many epochs the weights were trained, and where that is not all."""
    trained = meta.get('epoch')
    if trained is None:
        return 'not known'
    planned = (read_config(config).get('train_cfg') or {}).get('max_epochs')
    whole = planned in (None, trained)
    return str(trained) if whole else f'{trained} (of {planned} in the config)'
