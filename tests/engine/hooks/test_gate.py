"""A run that learns nothing says so, once, and names what to change."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.gates import Gate
from mmkd.engine.hooks import GateHook
from mmkd.engine.hooks.gate import KEY
from mmkd.engine.options import hook_configs
from mmkd.engine.preflight.method import Finding
from mmkd.errors import UserError
from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from tests.engine.hooks.test_collapse import METHODS
from tests.engine.toy import ToyNet, toy_runner
from tests.shared_files import ROOT


class Measured(ToyNet):
    """Reports a gain that depends on the step."""

    def __init__(self, *gains: float) -> None:
        super().__init__()
        self.gains, self.step = gains, 0

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = 'loss') -> Any:
        losses = super().forward(inputs, labels, mode)
        gain = self.gains[min(self.step, len(self.gains) - 1)]
        self.step += 1
        return {**losses, 'skd/gain': torch.tensor(gain), 'skd/acc': torch.tensor(0.9)}


def train(folder: Path, *gains: float, epochs: int = 10, **options: Any) -> Any:
    """Train 4 steps an epoch; return the runner, the hook, and what it said."""
    hook = GateHook(**{'smooth': 4, 'interval': 1, **options})
    runner = toy_runner(folder, epochs, model=Measured(*gains), custom_hooks=[hook])
    said: dict[str, list[str]] = {'info': [], 'warning': []}
    for level, lines in said.items():
        setattr(runner.logger, level, lambda text, *a, to=lines: to.append(str(text)))
    runner.train()
    told = ('gate open', 'gate closed', 'gates after', 'nothing learned')
    gates = {k: [x for x in v if x.startswith(told)] for k, v in said.items()}
    return runner, hook, gates


def test_a_gate_that_stays_closed_is_warned_of_once(tmp_path: Path) -> None:
    _, hook, said = train(tmp_path, -0.1, patience=8)
    assert len(said['warning']) == 1
    line = said['warning'][0]
    assert 'nothing learned after 8 steps: skd/gain -0.100' in line
    assert 'without the clip 0.000' in line and 'Try more steps' in line
    assert 'skd/gain -0.100 (without the clip 0.000), closed' in said['info'][-1]
    assert set(hook.gates) == {'skd/gain'}


def test_at_the_end_of_a_run_shorter_than_its_patience(tmp_path: Path) -> None:
    _, _, said = train(tmp_path, -0.1, epochs=2)
    assert ['after 8 steps' in line for line in said['warning']] == [True]


def test_too_few_steps_to_tell(tmp_path: Path) -> None:
    _, _, said = train(tmp_path, -0.1, epochs=2, smooth=100)
    assert said['warning'] == []
    assert 'too few steps to tell' in said['info'][-1]


def test_a_gate_that_opens_is_not_warned_of(tmp_path: Path) -> None:
    _, hook, said = train(tmp_path, *([-0.1] * 10), 0.5, patience=20)
    assert said['warning'] == []
    # Three standard errors above 0 only without the old ones among the four.
    assert hook.gates['skd/gain'].opened_at == 14
    assert said['info'][0].startswith('gate open at step 14: skd/gain 0.500')
    assert 'open since step 14' in said['info'][-1]


def test_a_gate_that_closes_again(tmp_path: Path) -> None:
    _, _, said = train(tmp_path, *([0.5] * 10), -0.5, patience=20)
    assert len(said['warning']) == 1
    assert 'gate closed again at step' in said['warning'][0]


def test_a_resumed_run_goes_on_with_its_gates(tmp_path: Path) -> None:
    train(tmp_path, -0.1, epochs=3, patience=8)
    path = tmp_path / 'epoch_3.pth'
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint[KEY]['skd/gain']['warned'] is True
    after = GateHook(smooth=4, interval=1, patience=8)
    runner = toy_runner(
        tmp_path,
        5,
        model=Measured(-0.1),
        custom_hooks=[after],
        load_from=str(path),
        resume=True,
    )
    lines: list[str] = []
    runner.logger.warning = lines.append  # type: ignore[method-assign]
    runner.train()
    assert [line for line in lines if 'nothing learned' in line] == []
    assert after.gates['skd/gain'].warned
    # From the weights alone, the gates start closed and are warned of.
    fresh = GateHook()
    fresh.after_load_checkpoint(SimpleNamespace(_resume=False), checkpoint)
    assert fresh._resumed == {}
    # A checkpoint of an older version has none.
    del checkpoint[KEY]
    fresh.after_load_checkpoint(SimpleNamespace(_resume=True), checkpoint)
    assert fresh._resumed == {}


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    weights = []
    for hooks in ([], [GateHook(interval=1)]):
        runner = toy_runner(tmp_path, model=Measured(0.1), custom_hooks=hooks)
        runner.train()
        weights.append(runner.model.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def auxskd(**task: Any) -> Pretrainer:
    cfg = Config.fromfile(ROOT / 'configs/tiny/auxskd_r3d_synthetic.py').model
    cfg.backbone.base_channels = 2
    cfg.tasks.skd.update(task)
    return MODELS.build(cfg)


def faked(model: nn.Module, cfg: Config, videos: int) -> Any:
    lines: dict[str, list[str]] = {'info': [], 'warning': []}
    return SimpleNamespace(
        model=model,
        cfg=cfg,
        train_dataloader=SimpleNamespace(dataset=[None] * videos, batch_size=16),
        logger=SimpleNamespace(
            info=lines['info'].append, warning=lines['warning'].append
        ),
        lines=lines,
        iter=300,
    )


def test_before_the_first_step_and_the_likely_reason() -> None:
    cfg = Config.fromfile(ROOT / 'configs/tiny/auxskd_r3d_synthetic.py')
    cfg.model.tasks.skd.queue_size = 960
    cfg.model.teachers.momentum.momentum = 0.999
    cfg.train_cfg.max_epochs = 20
    cfg.train_dataloader.batch_size = 16
    hook, runner = GateHook(), faked(auxskd(queue_size=960), cfg, 240)
    hook.before_train(runner)
    assert runner.lines['info'] == [
        'to train: 300 steps of 16 samples, 15 an epoch of 240 samples'
    ]
    assert len(runner.lines['warning']) == 2
    reason = hook._reason(runner, 'skd/gain')
    assert reason.startswith('Likely: ')
    assert 'model.tasks.skd.queue_size=80' in reason
    assert 'model.teachers.momentum.momentum=0.98' in reason
    # Values of other tasks are no reason.
    hook._findings = [Finding('model.tasks.other', 'x', 'wrong', 'Set it.')]
    assert hook._reason(runner, 'skd/gain').startswith('Try more steps')


def test_keys_at_random_do_not_open_it() -> None:
    """Until the queue is full of keys, a network that sees nothing finds its own."""
    cfg = Config.fromfile(ROOT / 'configs/tiny/auxskd_r3d_synthetic.py')
    hook, runner = GateHook(smooth=2, interval=1), faked(auxskd(), cfg, 240)
    hook.every_n_train_iters = lambda *a: True  # type: ignore[method-assign]
    hook.before_train(runner)
    for step in range(8):
        runner.iter = step
        hook.after_train_iter(runner, step, None, {'skd/gain': torch.tensor(1.0)})
    # 80 keys, 16 a step: the sixth step is the first that counts.
    assert hook.gates['skd/gain'].opened_at == 7


@pytest.mark.parametrize('options', [{'patience': 0}, {'smooth': 1}, {'interval': 0}])
def test_mistakes(options: dict[str, int]) -> None:
    with pytest.raises(UserError, match='GateHook: patience'):
        GateHook(**options)


def test_every_pre_training_has_it() -> None:
    for method in METHODS:
        path = sorted(ROOT.glob(f'configs/{method}/*r3d*.py'))[0]
        hooks = [hook.type for hook in hook_configs(Config.fromfile(path))]
        assert hooks.count('mmkd.GateHook') == 1, path


def test_a_model_without_tasks_has_no_gates(tmp_path: Path) -> None:
    hook = GateHook(interval=1)
    runner: Runner = toy_runner(tmp_path, custom_hooks=[hook])
    runner.train()
    assert hook.gates == {}


@pytest.mark.parametrize(
    'gates',
    [
        [1],
        {'skd/acc': 3},
        {'skd/acc': {'is_open': True}},
        {'skd/acc': {**Gate('skd/acc', 4).state(), 'values': [['x', 1.0]]}},
        {'skd/acc': {**Gate('skd/acc', 4).state(), 'opened_at': 'x'}},
    ],
)
def test_an_odd_state_of_gates_is_one_line(gates: Any) -> None:
    runner: Any = SimpleNamespace(_resume=True)
    with pytest.raises(UserError, match='of no form that GateHook writes'):
        GateHook().after_load_checkpoint(runner, {KEY: gates})
    sound = {'skd/acc': Gate('skd/acc', 4).state()}
    GateHook().after_load_checkpoint(runner, {KEY: sound})
