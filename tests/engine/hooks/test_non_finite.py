from typing import Any

import pytest
import torch
from mmengine.runner import Runner
from torch import Tensor

from mmkd.engine.hooks import NonFiniteHook
from mmkd.errors import UserError
from tests.engine.micro_runs import differences
from tests.engine.toy import ToySet
from tests.faults.toy_run import NoisyNet, toy_run


class NamedSet(ToySet):
    """Knows the file of each sample, and draws nothing."""

    def get_data_info(self, index: int) -> dict[str, Any]:
        return {'filename': f'{index}.mp4'}


class Sick(NoisyNet):
    """Its loss, or the gradient of it alone, is not finite at some steps."""

    def __init__(self, steps: tuple[int, ...], where: str = 'loss') -> None:
        super().__init__(ballast=4)
        self.steps, self.where, self.step = steps, where, -1

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = 'loss') -> Any:
        self.step += 1
        loss = super().forward(inputs, labels)['loss']
        if self.step in self.steps and self.where == 'loss':
            self.ballast.fill_(float('nan'))
            loss = loss * float('nan')
        elif self.step in self.steps:
            loss = loss + (self.scale - self.scale.detach()).abs().sqrt()
        return {'loss_toy': loss, 'loss_other': torch.ones(())}


def train(folder: Any, model: Any, by_epoch: bool = True, **options: Any) -> Any:
    hooks = [{'type': 'mmkd.NonFiniteHook', **options}]
    cfg = {'by_epoch': True, 'max_epochs': 4}
    if not by_epoch:
        cfg = {'by_epoch': False, 'max_iters': 16}
    runner = toy_run(
        folder, lambda text: None, model=model, custom_hooks=hooks, train_cfg=cfg
    )
    runner._train_dataloader['dataset'] = {'type': NamedSet}
    runner._train_dataloader['sampler']['shuffle'] = False
    runner.train()
    return runner


@pytest.mark.parametrize('by_epoch', [True, False])
def test_a_loss_that_is_no_number_stops_and_names_the_videos(tmp_path, by_epoch):
    model = Sick((5,))
    seen: list[Tensor] = []
    model.register_forward_pre_hook(
        lambda *_: seen.append(model.cls_head.weight.detach().clone())
    )
    with pytest.raises(UserError) as caught:
        train(tmp_path, model, by_epoch)
    where = 'epoch 2, step 6' if by_epoch else 'epoch 1, step 6'
    assert caught.value.what == (
        f'the loss is not finite in {where}, loss nan, loss_toy nan; '
        'videos of the batch: 4.mp4, 5.mp4, 6.mp4, 7.mp4'
    )
    assert torch.equal(model.cls_head.weight, seen[-1])  # untouched
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_4.pth'


def test_a_gradient_that_is_not_finite_stops(tmp_path):
    model = Sick((2,), 'gradient')
    with pytest.raises(UserError, match='the gradient is not finite in epoch 1, step'):
        train(tmp_path, model)
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('where', ['loss', 'gradient'])
def test_steps_are_left_out_up_to_a_bound(tmp_path, capsys, where):
    model = Sick((3, 9), where)
    train(tmp_path, model, max_skips=2)
    assert all(t.isfinite().all() for t in model.state_dict().values())
    said = [line for line in capsys.readouterr().out.splitlines() if 'left out' in line]
    assert len(said) == 2 and '2 of at most 2' in said[1]
    with pytest.raises(UserError, match='; 3 such steps'):
        train(tmp_path / 'b', Sick((3, 5, 9), where), max_skips=2)


def test_a_step_left_out_leaves_no_trace(tmp_path):
    """Weights and measurements are those before it; the optimizer made no step."""
    model = Sick((0,))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    states: list[dict[str, Tensor]] = []
    model.register_forward_pre_hook(
        lambda *_: states.append({k: v.clone() for k, v in model.state_dict().items()})
    )
    runner = train(tmp_path, model, max_skips=1)
    counter = 'backbone.1.num_batches_tracked'
    assert (
        differences(
            {k: v for k, v in before.items() if k != counter},
            {k: v for k, v in states[1].items() if k != counter},
        )
        == []
    )
    steps = runner.optim_wrapper.state_dict()['state'][0]['step']
    assert int(steps) == 15


def test_healthy_training_is_what_it_is_without(tmp_path):
    torch.manual_seed(1)
    one, other = NoisyNet(4), NoisyNet(4)
    other.load_state_dict(one.state_dict())
    train(tmp_path / 'a', one)
    train(tmp_path / 'b', other, max_skips=3)
    plain = NoisyNet(4)
    torch.manual_seed(1)
    plain.load_state_dict(NoisyNet(4).state_dict())
    toy = toy_run(tmp_path / 'c', lambda text: None, model=plain, custom_hooks=[])
    toy._train_dataloader['dataset'] = {'type': NamedSet}
    toy._train_dataloader['sampler']['shuffle'] = False
    toy.train()
    states = [m.state_dict() for m in (one, other, plain)]
    assert differences(states[0], states[1]) == []
    assert differences(states[0], states[2]) == []


def test_a_constant_loss_is_warned_of_once(tmp_path, capsys):
    train(tmp_path, Sick(()), constant_steps=5)
    said = [line for line in capsys.readouterr().out.splitlines() if 'has been' in line]
    assert len(said) == 1
    assert 'loss_other has been 1 for 5 steps: its features have collapsed' in said[0]


def test_arguments():
    with pytest.raises(UserError, match='max_skips -1'):
        NonFiniteHook(max_skips=-1)


def test_no_method_is_replaced(tmp_path):
    """Model and optimizer are listened to by hooks of PyTorch, taken off at the end."""
    seen: list[set[str]] = []
    model = Sick(())
    runner = toy_run(tmp_path, lambda text: None, model=model)
    replaceable = ('parse_losses', 'train_step', 'update_params', 'zero_grad')

    def look(*args: Any) -> None:
        owners = model, runner.optim_wrapper, runner.optim_wrapper.optimizer
        seen.append({name for owner in owners for name in vars(owner)})

    model.register_forward_pre_hook(look)
    runner.train()
    assert seen and not any(set(replaceable) & names for names in seen)
    assert not model._forward_hooks
    assert not runner.optim_wrapper.optimizer._optimizer_step_pre_hooks


def test_a_norm_that_overflows_is_not_clipped_to_zero(tmp_path):
    """Finite gradients whose norm is infinite would become a step of zeros."""
    model = NoisyNet(4)
    model.cls_head.weight.register_hook(lambda grad: torch.full_like(grad, 1e38))
    optim = {'optimizer': {'type': 'SGD', 'lr': 0.1}, 'clip_grad': {'max_norm': 1.0}}
    runner = toy_run(tmp_path, lambda text: None, model=model, optim_wrapper=optim)
    with pytest.raises(UserError, match='the gradient is not finite in epoch 1, step'):
        runner.train()


def test_steps_are_left_out_by_our_loops_only(tmp_path):
    hook = {'type': 'mmkd.NonFiniteHook', 'max_skips': 1}
    runner = Runner(
        NoisyNet(4),
        str(tmp_path),
        train_dataloader={
            'dataset': {'type': ToySet},
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'batch_size': 4,
        },
        train_cfg={'by_epoch': True, 'max_epochs': 1},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
        custom_hooks=[hook],
        experiment_name='stock',
    )
    with pytest.raises(UserError, match='max_skips 1 with the training loop Epoch'):
        runner.train()
