from pathlib import Path

import pytest
import torch

from mmkd.commands.zoo import main
from mmkd.zoo.publish import publish
from tests.zoo.toy_zoo import CONFIG, toy

Output = pytest.CaptureFixture[str]


@pytest.fixture
def published(project: Path, weights: dict[str, torch.Tensor]) -> list[Path]:
    Path('train.json').write_text('{"acc/top1": 0.5}')
    Path('train.log').write_text('loss 1\n')
    return publish(toy(metrics=Path('train.json'), log=Path('train.log')))


def test_list(published: list[Path], capsys: Output) -> None:
    assert main(['list']) == 0
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if 'Toy' in line]
    assert ['recipe' in line for line in lines] == [True, False]
    assert out.endswith('2 models, 1 with weights\n')
    main(['list', '--weights'])
    out = capsys.readouterr().out
    assert 'recipe' not in out and 'toy' in out
    main(['list', 'r3d', '--method', 'TOY', '--data', 'noise'])
    assert '1 models, 0 with weights' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(['list', 'nothing'])
    assert capsys.readouterr().err == 'error: no model fits. Leave an option out.\n'


def test_show(published: list[Path], capsys: Output) -> None:
    assert main(['show', 'toy']) == 0
    out = capsys.readouterr().out
    for path in published:
        assert path.name in out
    assert f'config         {CONFIG}\n' in out
    assert 'measured       data, test, by tools/test.py on data/list.txt (SHA' in out
    assert 'acc/top1 50.00 %' in out


def test_download(published: list[Path], capsys: Output) -> None:
    assert main(['download', 'toy', '--dest', 'there']) == 0
    assert capsys.readouterr().out == f'there/{published[0].name}\n'
    main(['download', 'toy', '--format', 'safetensors'])
    assert Path(published[1].name).read_bytes() == published[1].read_bytes()
    with pytest.raises(SystemExit) as stop:
        main(['download', 'to'])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("error: the zoo has no model 'to'. Did")


def test_publish_and_verify(
    project: Path, weights: dict[str, torch.Tensor], capsys: Output
) -> None:
    line = ['publish', 'run/epoch_3.pth', '--name', 'new', '--config', CONFIG]
    assert main([*line, '--half', '--parts', 'backbone']) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.suffix for path in paths] == ['.pth', '.safetensors']
    assert main(['verify']) == 0
    captured = capsys.readouterr()
    assert captured.out == 'new: right\n'
    assert captured.err == '1 models checked, 0 wrong\n'
    paths[0].write_bytes(b'?')
    assert main(['verify', 'new']) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(f'new: {paths[0].name} cannot be had')
    assert captured.err == '1 models checked, 1 wrong\n'
