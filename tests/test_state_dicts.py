"""Weights are found however they were wrapped and named."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from mmkd.engine.load_weights import load_weights
from mmkd.errors import UserError
from mmkd.state_dicts import named_tensors, plain_metadata, plain_names
from mmkd.weight_files import read_source
from tests.engine.toy import ToyNet

PREFIXES = ['module.', 'module.module.', '_orig_mod.', 'model.', 'module._orig_mod.']
PREFIXES += ['model.module.', '_orig_mod.model.', 'model.model.']


def inside(key: str) -> str:
    """As of a part that was compiled or wrapped by itself."""
    first, _, rest = key.partition('.')
    return f'{first}._orig_mod.module.{rest}'


WAYS = [*((lambda key, p=p: p + key) for p in PREFIXES), inside]


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('key', ['state_dict', 'model', 'model_state_dict', 'net', ''])
def test_prefixes_and_keys_are_understood_by_load_and_converter(tmp_path, way, key):
    torch.manual_seed(5)
    state = ToyNet().state_dict()
    wrapped = OrderedDict((way(name), value) for name, value in state.items())
    content = {key: wrapped, 'epoch': 3} if key else wrapped
    model = ToyNet()
    assert str(load_weights(model, content)) == '9 tensors loaded'
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    torch.save(content, tmp_path / 'w.pth')
    source = read_source(tmp_path / 'w.pth')
    assert list(source.tensors) == list(state)
    assert ('file:epoch' in source.labels()) == bool(key)


def test_a_model_may_have_such_parts_itself():
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Linear(2, 2)

    odd = nn.ModuleDict({'module': Odd()})
    state = odd.state_dict()
    assert len(load_weights(odd, state).loaded) == 2
    wrapped = {f'module.{key}': value for key, value in state.items()}
    assert len(load_weights(odd, wrapped).loaded) == 2
    bare = {key.replace('module.', ''): value for key, value in state.items()}
    assert len(load_weights(odd, bare).loaded) == 2


def test_model_is_kept_where_not_all_names_begin_so():
    keys = ['model.backbone.w', 'loss.w']
    assert plain_names(keys) == {key: key for key in keys}


def test_two_tensors_of_one_name_are_refused():
    state = {'w.a': torch.ones(1), 'module.w.a': torch.zeros(1)}
    with pytest.raises(UserError, match=r'holds w\.a twice, once as module\.w\.a'):
        named_tensors(state)
    with pytest.raises(UserError, match='whose name is no text'):
        named_tensors({3: torch.ones(1)})


def test_what_torch_keeps_of_each_module_follows_the_names():
    state = ToyNet().state_dict()
    wrapped = OrderedDict((f'module.model.{k}', v) for k, v in state.items())
    wrapped._metadata = OrderedDict({'module.model.backbone.1': {'version': 2}})
    wrapped._metadata['module.model.data_preprocessor'] = {'note': 'kept'}
    wrapped._metadata['module.model'] = {'version': 1}
    found = plain_metadata(wrapped, plain_names(list(wrapped)))
    assert found == {
        'backbone.1': {'version': 2},
        'data_preprocessor': {'note': 'kept'},
        '': {'version': 1},
    }
