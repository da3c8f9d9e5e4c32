import json
from dataclasses import replace

import pytest

from mmkd.datasets.part_maps.identity import CacheIdentity, claim, read_identity
from mmkd.errors import UserError
from mmkd.part_labels import get_label_set
from tests.datasets.part_maps.test_encoding import IDENTITY

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
        ({'format': 2}, 'format is 2'),
        ({'size': 0}, 'size is 0'),
        ({'size': True}, 'size is True'),
        ({'form': 'logits'}, "form is 'logits'"),
        ({'parser': {'a': []}}, 'parser is'),
        ({'label_set': []}, 'labels is None'),
    ],
)
def test_bad_values_are_named(tmp_path, change, what):
    text = json.dumps({**IDENTITY.as_json(), **change})
    (tmp_path / 'cache.json').write_text(text)
    with pytest.raises(UserError, match=what):
        read_identity(tmp_path)


def test_a_folder_that_is_no_cache(tmp_path):
    with pytest.raises(UserError, match='holds no part maps') as error:
        read_identity(tmp_path)
    assert 'tools/teacher/extract.py' in error.value.remedy


@pytest.mark.parametrize('change', [{'size': 0}, {'stride': 0}, {'form': 'x'}])
def test_options_out_of_range(change):
    with pytest.raises(UserError):
        replace(IDENTITY, **change)
