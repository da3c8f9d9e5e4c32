import pytest
from mmengine.config import Config

from mmkd.engine.preflight.checkpoints import check_checkpoints
from mmkd.errors import UserError


def test_files_that_are_there_and_addresses_pass(tmp_path):
    path = tmp_path / 'a.pth'
    path.touch()
    check_checkpoints(Config({'model': {}}))
    teacher = {'init_cfg': {'type': 'Pretrained', 'checkpoint': 'https://x.org/a.pth'}}
    check_checkpoints(Config({'model': {'teacher': teacher}, 'load_from': str(path)}))


def test_a_missing_load_from_names_the_run_that_writes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config({'model': {}, 'load_from': 'work_dirs/auxskd/r3d/epoch_18.pth'})
    with pytest.raises(UserError) as caught:
        check_checkpoints(cfg)
    message = str(caught.value)
    assert 'checkpoint work_dirs/auxskd/r3d/epoch_18.pth (load_from of' in message
    assert f'looked for it in {tmp_path}' in message
    assert message.endswith('--cfg-options load_from=PATH.')
    (tmp_path / 'configs' / 'auxskd').mkdir(parents=True)
    (tmp_path / 'configs' / 'auxskd' / 'r3d.py').touch()
    with pytest.raises(UserError, match=r'Run `python tools/train\.py configs/aux'):
        check_checkpoints(cfg)


def test_a_missing_checkpoint_inside_the_model_names_its_key():
    nested = {'teachers': {'t': {'checkpoint': 'no.pth'}}}
    with pytest.raises(UserError, match=r'\(model\.teachers\.t\.checkpoint of'):
        check_checkpoints(Config({'model': nested}))
