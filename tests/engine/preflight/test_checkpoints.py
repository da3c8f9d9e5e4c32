import os

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


@pytest.mark.parametrize('named', ['run', 'run/epoch_30.pth'])
def test_a_folder_and_an_epoch_that_was_not_saved_name_what_there_is(
    tmp_path, monkeypatch, named
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'run').mkdir()
    for time, name in enumerate(('epoch_10.pth', 'epoch_9.pth', 'epoch_11.pth')):
        path = tmp_path / 'run' / name
        path.touch()
        os.utime(path, (time, time))
    what = 'is a folder' if named == 'run' else 'does not exist'
    newest = r'run/epoch_11\.pth, run/epoch_9\.pth, run/epoch_10\.pth'
    with pytest.raises(UserError, match=rf'{what}.* load_from=PATH, e\.g\. .*{newest}'):
        check_checkpoints(Config({'model': {}, 'load_from': named}))


@pytest.mark.parametrize('resume', [False, True])
def test_a_file_directly_in_work_dirs(tmp_path, monkeypatch, resume):
    monkeypatch.chdir(tmp_path)
    cfg = Config({'model': {}, 'load_from': 'work_dirs/none.pth', 'resume': resume})
    with pytest.raises(UserError, match=r'none\.pth .* does not exist') as error:
        check_checkpoints(cfg)
    option = '--resume PATH' if resume else '--cfg-options load_from=PATH'
    assert error.value.remedy == f'Name a file that exists with {option}.'
