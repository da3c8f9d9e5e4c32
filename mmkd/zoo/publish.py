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
from mmkd.zoo.compatibility import backbone_fingerprint, is_published, mismatches
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
    """Checkpoint to publish, with its results and files."""

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


def publish(publication: Publication) -> list[Path]:
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
    check_name(publication.name)
    root = index_path().parent
    metafile = metafile_of(publication.config)
    weights, meta = _stripped(publication, root / publication.config)
    folder = publication.out or root / 'zoo'
    contents = {f'.{form}': _FORMS[form](weights, meta) for form in publication.forms}
    if publication.log:
        contents['.log'] = _log(publication.log)
    files = {
        suffix: _file(publication.name, suffix, x) for suffix, x in contents.items()
    }
    old = entry_of(metafile, publication.name)
    entry = _entry(publication, metafile, old, meta, files)
    earlier = {file.name for file in read_entry(old, metafile).files} if old else set()
    there = Index().models.get(publication.name)
    if there and not old:  # names are unique over all metafiles
        raise UserError(
            f'{publication.name} is the name of {there.config} already',
            'Choose another.',
        )
    with _removed_on_failure(folder / file.name for file in files.values()):
        for suffix, content in contents.items():
            with replacing(folder / files[suffix].name) as temporary:
                temporary.write_bytes(content)
        write_entry(metafile, entry)
    if publication.out is None:
        for name in earlier - {file.name for file in files.values()}:
            (folder / name).unlink(missing_ok=True)
        write_tables(Index(), folder)
    return [folder / file.name for file in files.values()]


@contextmanager
def _removed_on_failure(paths: Iterable[Path]) -> Iterator[None]:
    """Remove the files that the body made if it fails: no entry names them."""
    new = [path for path in paths if not path.exists()]
    try:
        yield
    except BaseException:
        for path in new:
            path.unlink(missing_ok=True)
        raise


def _stripped(
    publication: Publication, config: Path
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights to publish and what to say of them."""
    source = read_source(publication.checkpoint)
    weights = {
        k: v for k, v in source.tensors.items() if is_published(k, publication.parts)
    }
    problems = mismatches(config, weights, publication.parts)
    if problems or not weights:
        raise UserError(
            f'{publication.checkpoint} is not of {publication.config}: '
            f'{"; ".join(problems) or "it has none of these parts"}',
            'Give the config that it was trained with.',
        )
    if publication.half:
        weights = {name: _halved(name, value) for name, value in weights.items()}
    kept = {key: source.meta[key] for key in _KEPT_META if key in source.meta}
    fed = settled_input(config, source.meta, f'checkpoint {publication.checkpoint}')
    if fed is not None:
        kept[KEY] = fed.as_dict()
    meta = {
        **to_plain(kept, 'meta'),
        'name': publication.name,
        'config': publication.config,
        'parts': sorted({name.split('.')[0] for name in weights}),
        'stored_as': 'float16' if publication.half else 'float32',
        'backbone': backbone_fingerprint(weights),
        'mmkd_version': __version__,
    }
    try:
        return weights, json.loads(json.dumps(meta))
    except (TypeError, ValueError) as error:
        message = f'the meta of {publication.checkpoint} is not plain: {error}'
        raise UserError(message) from error


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
    publication: Publication,
    metafile: Path,
    old: Mapping[str, Any],
    meta: Mapping[str, Any],
    files: Mapping[str, ZooFile],
) -> dict[str, Any]:
    collection = publication.collection or old.get('In Collection')
    config = str(index_path().parent / publication.config)
    results = []
    if publication.metrics:
        results = read_results(
            publication.metrics, publication.config, str(meta['backbone'])
        )
    base = publication.address.rstrip('/') if publication.address else 'zoo'
    entry = {
        'Name': publication.name,
        'In Collection': collection or only_collection(metafile),
        'Config': publication.config,
        'Metadata': {
            **(old.get('Metadata') or {}),
            'Epochs': _epochs(meta, config),
            **({'Note': publication.note} if publication.note else {}),
            'Parts': ', '.join(meta['parts']),
            'Stored As': meta['stored_as'],
            'Backbone Fingerprint': meta['backbone'],
        },
        'Training List': list_facts(config, 'train_dataloader'),
        **({'Results': results} if results else {}),
        'Weights': f'{base}/{files[f".{publication.forms[0]}"].name}',
        **({'Training Log': f'{base}/{files[".log"].name}'} if publication.log else {}),
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
