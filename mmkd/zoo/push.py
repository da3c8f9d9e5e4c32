"""Upload a published model to the Hugging Face hub: weights, config and a card."""

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

import yaml

from mmkd.config_files import read_config
from mmkd.errors import UserError
from mmkd.transfer.hub import parse
from mmkd.transfer.model_index import Index, ZooModel
from mmkd.transfer.published import any_weights_of, local_or_cached
from mmkd.transfer.sources import hub_endpoint
from mmkd.weight_files import read_weights, to_safetensors
from mmkd.zoo.tables import metric_lines

WEIGHTS, CONFIG, CARD = 'model.safetensors', 'config.py', 'README.md'


def push(
    index: Index, model: ZooModel, target: str, licence: str, private: bool = False
) -> str:
    """Upload a model of the zoo; return the address of the commit.

    The repository is made if it is not there. ``HF_TOKEN`` must be allowed to write to
    it; ``HF_ENDPOINT`` names another hub.

    Args:
        index: The zoo.
        model: One with weights.
        target: ``hf://ORG/REPO``.
        licence: Of the weights, as the hub names it, e.g. ``'apache-2.0'``.
        private: Whether a repository that is made is private.

    Returns:
        ``hf://ORG/REPO@COMMIT``, which loads these very weights.

    Raises:
        UserError: If the package huggingface_hub or the token is missing, the model has
            no weights, or the hub refuses.
    """
    goal = parse(target)
    if goal.file or goal.revision != 'main':
        raise UserError(f'{target} is more than a repository', 'Write hf://ORG/REPO.')
    if importlib.util.find_spec('huggingface_hub') is None:
        raise UserError(
            'the package huggingface_hub is not installed',
            'Type pip install huggingface_hub, or install mmkd[hub].',
        )
    token = os.environ.get('HF_TOKEN', '').strip()
    if not token:
        raise UserError('HF_TOKEN is not set', 'Set it to a token that may write.')
    from huggingface_hub import CommitOperationAdd, HfApi

    files = contents(index, model, goal.repo, licence)
    api = HfApi(endpoint=hub_endpoint(), token=token)
    try:
        api.create_repo(goal.repo, private=private, exist_ok=True)
        added = [CommitOperationAdd(name, content) for name, content in files.items()]
        done = api.create_commit(goal.repo, added, commit_message=model.name)
    except Exception as error:  # of the package and of what it stands on
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f'{target} cannot be written ({reason})',
            'Look at the net and at what HF_TOKEN may do.',
        ) from error
    return f'hf://{goal.repo}@{done.oid}'


def contents(
    index: Index, model: ZooModel, repo: str, licence: str
) -> dict[str, bytes]:
    """Return the files of a repository for a model, by name.

    The weights are those published, as safetensors with the same meta, so that they
    carry their input.

    Raises:
        UserError: If the model has no weights, or they cannot be had.
    """
    file = any_weights_of(model)
    content = read_weights(local_or_cached(index, model, file), file.sha256)
    config = read_config(index.root / model.config)
    return {
        WEIGHTS: to_safetensors(content['state_dict'], content['meta']),
        CONFIG: config.pretty_text.encode(),
        CARD: card(model, repo, licence, content['meta']).encode(),
    }


def card(model: ZooModel, repo: str, licence: str, meta: Mapping[str, Any]) -> str:
    """Return the model card: what the hub reads, then what people do."""
    said = model.metadata
    architecture = str(said.get('Architecture', ''))
    head = {
        'license': licence,
        'library_name': 'mmkd',
        'pipeline_tag': 'video-classification',
        'tags': [tag for tag in ('video', 'mmaction2', architecture.lower()) if tag],
        'model-index': [{'name': model.name, 'results': _results(model)}],
    }
    facts = [f'* {key}: {value}' for key, value in said.items() if _is_plain(value)]
    training = model.entry.get('Training List')
    if isinstance(training, Mapping) and 'SHA256' in training:
        facts.append(f'* Training list: SHA-256 `{training["SHA256"]}`')
    fed = meta.get('input_convention') or {}
    facts += [f'* Input: `{fed}`'] if fed else []
    measured = (
        '\n'.join(f'* {line}' for line in metric_lines(model)) or '* not measured'
    )
    return f"""\
---
{yaml.safe_dump(head, sort_keys=False).strip()}
---

# {model.name}

{model.collection}, trained with mmkd on MMAction2.

{chr(10).join(facts)}

## Use

With mmkd (`import mmkd`), wherever a config or tool of MMAction2 names a checkpoint:

    load_from = 'hf://{repo}'

`{CONFIG}` is the complete config of the training; it is a program, as every config.

## Measured

In percent; the digits are of the test list's SHA-256.

{measured}
"""


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _results(model: ZooModel) -> list[dict[str, Any]]:
    """Return the metrics in the form that the hub shows beside a model."""
    return [
        {
            'task': {'type': 'video-classification'},
            'dataset': {
                'type': str(result['Dataset']).lower(),
                'name': str(result['Dataset']),
                'args': {'list_sha256': str(_list_hash(result))},
            },
            'metrics': [
                {'type': 'accuracy', 'name': name, 'value': value}
                for name, value in result['Metrics'].items()
            ],
        }
        for result in model.results
    ]


def _list_hash(result: Mapping[str, Any]) -> str:
    return (result.get('Test List') or {}).get('SHA256', '')
