"""Check published models: their files, their weights, and what is said of them."""

from pathlib import Path
from typing import Any

import torch

from mmkd.errors import UserError
from mmkd.zoo.download import local_or_cached
from mmkd.zoo.fitting import backbone_fingerprint, problems_with
from mmkd.zoo.index import Index, ZooModel
from mmkd.zoo.weight_files import read_weights


def verify(index: Index, model: ZooModel) -> list[str]:
    """Check one model.

    Every file is there with its length and SHA-256 and bears the beginning of that in
    its name; the weights load without running anything, are the same in each form, and
    fill the published parts of the config's model; the meta in the files and the
    metafile agree.

    Args:
        index: The index.
        model: A model of it.

    Returns:
        What is wrong; nothing if the list is empty.
    """
    problems = [
        f'{file.name} does not bear its SHA-256 {file.sha256[:8]}'
        for file in model.files
        if f'-{file.sha256[:8]}.' not in file.name
    ]
    try:
        paths = [local_or_cached(index, model, file) for file in model.files]
        contents = [read_weights(path) for path in paths[: len(model.weights)]]
        for content in contents:
            problems += _check_content(index, model, content)
        first = contents[0]
        problems += [
            f'{path.name} holds other values than {paths[0].name}'
            for path, content in zip(paths[1:], contents[1:], strict=False)
            if not _same(first, content)
        ]
    except UserError as error:
        problems.append(str(error))
    return [*dict.fromkeys(problems), *_check_entry(model)]


def _check_content(index: Index, model: ZooModel, content: dict[str, Any]) -> list[str]:
    weights, meta = content['state_dict'], content.get('meta') or {}
    parts = tuple(meta.get('parts') or ())
    found = [
        f'its weights do not fit {model.config}: {problem}'
        for problem in problems_with(index.root / model.config, weights, parts)
    ]
    told = {
        'name': model.name,
        'config': model.config,
        'stored_as': model.metadata.get('Stored As'),
        'backbone': model.metadata.get('Backbone Fingerprint'),
    }
    found += [
        f'the file says {key} {meta.get(key)!r}, the metafile {value!r}'
        for key, value in told.items()
        if meta.get(key) != value
    ]
    if backbone_fingerprint(weights) != meta.get('backbone'):
        found.append('its backbone has another fingerprint than its meta says')
    return found


def _check_entry(model: ZooModel) -> list[str]:
    """The paths of an entry are those of its files; each result says how."""
    paths = {'Weights': model.weights[:1], 'Training Log': (model.log,)}
    found = [
        f'{key} in the metafile is no file of the model'
        for key, files in paths.items()
        if key in model.entry
        and Path(model.entry[key]).name not in [file and file.name for file in files]
    ]
    needed = {'Task', 'Dataset', 'Metrics', 'Protocol', 'Test List', 'Measured By'}
    lacking = [needed - result.keys() for result in model.results]
    found += [f'a result lacks {", ".join(sorted(keys))}' for keys in lacking if keys]
    if not model.entry.get('Training List'):
        found.append('the list that it was trained on is not named')
    return found


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    mine, theirs = one['state_dict'], other['state_dict']
    return (
        one.get('meta') == other.get('meta')
        and mine.keys() == theirs.keys()
        and all(
            mine[k].dtype == theirs[k].dtype and torch.equal(mine[k], theirs[k])
            for k in mine
        )
    )
