import json
from dataclasses import replace

import pytest

from mmkd.errors import UserError
from mmkd.methods.human_prior.part_maps.identity import (
    CacheIdentity,
    claim,
    read_identity,
)
from mmkd.part_labels import get_label_set
from tests.methods.human_prior.part_maps.made_maps import IDENTITY

LABEL_SET = IDENTITY.as_json()['label_set']
OTHERS = {
    'parser.weights': replace(IDENTITY, parser={'name': 'Gray', 'weights': 'cd'}),
    'parser.input': replace(IDENTITY, parser={**IDENTITY.parser, 'input': 473}),
    'label_set.name': replace(IDENTITY, label_set=get_label_set('lip')),
    'label_set.swaps': replace(
        IDENTITY, label_set=replace(IDENTITY.label_set, swaps=())
    ),
    'form': replace(IDENTITY, form='probabilities'),
    'size': replace(IDENTITY, size=5),
    'stride': replace(IDENTITY, stride=4),
}


@pytest.mark.parametrize('key', OTHERS)
def test_a_folder_belongs_to_one(tmp_path, key):
    claim(tmp_path, IDENTITY)
    claim(tmp_path, IDENTITY)
    before = (tmp_path / 'cache.json').read_bytes()
    with pytest.raises(UserError, match=f'made with {key} '):
        claim(tmp_path, OTHERS[key])
    assert (tmp_path / 'cache.json').read_bytes() == before
    assert read_identity(tmp_path) == IDENTITY


@pytest.mark.parametrize('identity', OTHERS.values(), ids=list(OTHERS))
def test_json_and_back(identity):
    values = json.loads(json.dumps(identity.as_json()))
    assert CacheIdentity.from_json(values, 'x') == identity


@pytest.mark.parametrize(
    ('change', 'what'),
    [
        ({'format': 3}, 'values of other kinds'),
        ({'size': 0}, 'size 0'),
        ({'size': True}, 'size True'),
        ({'size': '4'}, 'size 4'),
        ({'stride': 3.0}, r'stride 3\.0'),
        ({'form': 'logits'}, "form 'logits'"),
        ({'form': []}, 'form'),
        ({'parser': {'a': []}}, 'values of other kinds'),
        ({'parser': []}, 'values of other kinds'),
        ({'label_set': []}, 'values of other kinds'),
        ({'label_set': None}, 'values of other kinds'),
        ({'label_set': {**LABEL_SET, 'labels': 'abc', 'swaps': []}}, 'other kinds'),
        ({'label_set': {**LABEL_SET, 'swaps': [[1, '2']]}}, 'other kinds'),
        ({'label_set': {**LABEL_SET, 'swaps': [[1, 99]]}}, 'beyond its 11'),
        ({'label_set': {**LABEL_SET, 'background': 'x'}}, 'label set|other kinds'),
        ({'more': 1}, 'values of other kinds'),
    ],
)
def test_bad_values_are_refused(tmp_path, change, what):
    text = json.dumps({**IDENTITY.as_json(), **change})
    (tmp_path / 'cache.json').write_text(text)
    with pytest.raises(UserError, match=what) as error:
        read_identity(tmp_path)
    assert 'cache.json does not describe a cache' in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('text', ['', '[]', 'null', '1', '[' * 100_000, '{"a": 1'])
def test_no_description_at_all(tmp_path, text):
    (tmp_path / 'cache.json').write_text(text)
    with pytest.raises(UserError, match=r'cache\.json'):
        read_identity(tmp_path)


def test_a_cache_of_the_older_format_is_refused(tmp_path):
    text = json.dumps({**IDENTITY.as_json(), 'format': 1})
    (tmp_path / 'cache.json').write_text(text)
    with pytest.raises(UserError, match='an older mmkd') as error:
        claim(tmp_path, IDENTITY)
    assert 'python tools/teacher/extract.py' in str(error.value)
    assert '\n' not in str(error.value)


def test_a_folder_that_is_no_cache(tmp_path):
    with pytest.raises(UserError, match='holds no part maps') as error:
        read_identity(tmp_path)
    assert 'tools/teacher/extract.py' in error.value.remedy


@pytest.mark.parametrize('change', [{'size': 0}, {'stride': 0}, {'form': 'x'}])
def test_options_out_of_range(change):
    with pytest.raises(UserError):
        replace(IDENTITY, **change)
