"""MMAction2's own programs take a fine-tuned checkpoint of ours as it is."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mmaction
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from mmkd.engine.command_line import test_main as run_test
from mmkd.engine.command_line import train_main
from mmkd.errors import UserError
from mmkd.evaluation.model import load_whole_model
from tests.tools.toy_project import ROOT, make_project

CONFIG = 'configs/toy/tiny.py'
CLASSES = ['sitting', 'standing']


@pytest.fixture(scope='module')
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with a toy project and a checkpoint that was fine-tuned in it."""
    folder = tmp_path_factory.mktemp('project')
    make_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LOCAL_RANK', '0')
        train_main([CONFIG, '--work-dir', 'run', '--seed', '0'])
        yield folder


def scores(path: str) -> torch.Tensor:
    """What the test loop makes of a clip."""
    cfg = Config.fromfile(CONFIG)
    model = load_whole_model(cfg, 'run/epoch_2.pth').eval()
    sample = {'filename': path, 'label': -1, 'start_index': 0, 'modality': 'RGB'}
    clip = Compose(cfg.test_dataloader.dataset.pipeline)(sample)
    with torch.inference_mode():
        return model.test_step(pseudo_collate([clip]))[0].pred_score.cpu()


def test_the_inferencer_classifies_a_clip(trained: Path) -> None:
    from mmaction.apis import MMAction2Inferencer

    Path('classes.txt').write_text('\n'.join(CLASSES))
    inferencer = MMAction2Inferencer(
        rec=CONFIG,
        rec_weights='run/epoch_2.pth',
        device='cpu',
        label_file='classes.txt',
    )
    clips = [f'data/videos/{n}.avi' for n in range(4)]
    for clip in clips:
        found = inferencer(clip)['predictions'][0]
        expected = scores(clip)
        torch.testing.assert_close(torch.tensor(found['rec_scores'][0]), expected)
        assert found['rec_labels'] == [[int(expected.argmax())]]


def test_inference_recognizer(trained: Path) -> None:
    from mmaction.apis import inference_recognizer, init_recognizer

    model = init_recognizer(CONFIG, 'run/epoch_2.pth', device='cpu')
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    found = inference_recognizer(model, 'data/videos/1.avi', pipeline)
    torch.testing.assert_close(found.pred_score, scores('data/videos/1.avi'))


AUTO = """
_base_ = './tiny.py'
model = dict(data_preprocessor=dict(convention='auto', fallback='imagenet'))
"""


@pytest.fixture
def auto(trained: Path) -> str:
    """A config that leaves the input to the weights."""
    path = trained / 'configs/toy/auto.py'
    path.write_text(AUTO)
    return str(path)


def test_stock_programs_feed_what_the_weights_were_trained_with(auto: str) -> None:
    from mmaction.apis import (
        MMAction2Inferencer,
        inference_recognizer,
        init_recognizer,
    )

    clip = 'data/videos/2.avi'
    expected = scores(clip)
    inferencer = MMAction2Inferencer(
        rec=auto, rec_weights='run/epoch_2.pth', device='cpu'
    )
    found = inferencer(clip)['predictions'][0]['rec_scores'][0]
    torch.testing.assert_close(torch.tensor(found), expected)
    model = init_recognizer(auto, 'run/epoch_2.pth', device='cpu')
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    found = inference_recognizer(model, clip, pipeline).pred_score
    torch.testing.assert_close(found, expected)
    # Of a file that does not say it, no score at all.
    content = torch.load('run/epoch_2.pth', weights_only=True)
    torch.save({'state_dict': dict(content['state_dict'])}, 'mute.pth')
    model = init_recognizer(auto, 'mute.pth', device='cpu')
    with pytest.raises(UserError, match='input of the network is not known'):
        inference_recognizer(model, clip, pipeline)
    inferencer = MMAction2Inferencer(rec=auto, rec_weights='mute.pth', device='cpu')
    with pytest.raises(UserError, match='input of the network is not known'):
        inferencer(clip)


def test_two_hops_by_our_tools_keep_the_input(
    auto: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained from weights of BGR 0..255, then tested by the config and by its own."""
    train_main(
        [auto, '--work-dir', 'hop', '--cfg-options', 'load_from=run/epoch_2.pth']
    )
    meta = torch.load('hop/epoch_2.pth', weights_only=True)['meta']
    assert meta['input_convention']['name'] == 'bgr255'
    own = Config.fromfile('hop/auto.py').model.data_preprocessor
    assert (own.convention, own.residual) == ('bgr255', False)
    reports = []
    for number, config in enumerate((auto, 'hop/auto.py')):
        report = Path(f'{number}.json')
        run_test(
            [config, 'hop/epoch_2.pth', '--json', str(report), '--work-dir', 'tested']
        )
        reports.append(json.loads(report.read_text()))
    assert reports[0] == reports[1]
    capsys.readouterr()
    wrong = 'model.data_preprocessor.convention=rgb01'
    with pytest.raises(SystemExit) as stopped:
        run_test(
            [auto, 'hop/epoch_2.pth', '--work-dir', 'tested', '--cfg-options', wrong]
        )
    assert stopped.value.code == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x]
    assert line.startswith('error: ') and "'bgr255'" in line and "'rgb01'" in line


@pytest.mark.slow
def test_test_py_of_mmaction(trained: Path) -> None:
    program = Path(mmaction.__file__).parent / '.mim/tools/test.py'
    if not program.is_file():
        pytest.skip('this installation of MMAction2 has no tools')
    run_test([CONFIG, 'run/epoch_2.pth', '--json', 'ours.json', '--work-dir', 'ours'])
    done = subprocess.run(
        [sys.executable, str(program), CONFIG, 'run/epoch_2.pth', '--work-dir', 'them'],
        env={'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'PATH': '/usr/bin:/bin'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (found,) = Path('them').rglob('2*.json')
    upstream = json.loads(found.read_text())
    ours = json.loads(Path('ours.json').read_text())
    assert upstream['acc/top1'] == pytest.approx(ours['acc/top1'])
