"""The angle between two tasks' gradients, measured beside the training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

from mmkd.engine.hooks import GradientConflictHook
from mmkd.engine.hooks.gradient_conflict import common, compare
from mmkd.errors import UserError
from tests.engine.hooks.tiny_runner import tiny_runner
from tests.methods.human_prior.toy import clips, human_prior, raw_batch, samples
from tests.warm import run_group

METRICS = {'conflict/cosine', 'conflict/ratio'}


class Clips(Dataset):
    metainfo: dict[str, Any] = {}

    def __init__(self, frames: int = 8) -> None:
        batch = raw_batch(8, frames=frames)
        self.items = [
            {'inputs': clip, 'data_samples': sample}
            for clip, sample in zip(batch['inputs'], batch['data_samples'], strict=True)
        ]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self.items[index]
        return {**item, 'data_samples': item['data_samples'].clone()}


class BFloat16(OptimWrapper):
    """Autocast on the CPU, which MMEngine's own wrapper does not offer."""

    def optim_context(self, model: nn.Module) -> Any:
        return torch.autocast('cpu', torch.bfloat16)


class Log(Hook):
    priority = 'LOWEST'

    def __init__(self) -> None:
        self.outputs: list[dict[str, float]] = []

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any, outputs: Any
    ) -> None:
        self.outputs.append({k: v.item() for k, v in outputs.items()})


def trained(
    folder: Path,
    *hooks: Hook,
    optim: dict[str, Any] | None = None,
    frames: int = 8,
) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    """Train two epochs of two iterations; return the weights and the log."""
    log = Log()
    wrapper = {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}}
    runner = tiny_runner(
        folder,
        *hooks,
        log,
        model=human_prior(),
        train_dataloader=DataLoader(
            Clips(frames), batch_size=4, collate_fn=pseudo_collate
        ),
        optim_wrapper={**wrapper, **(optim or {})},
    )
    runner.train()
    return runner.model.state_dict(), log.outputs


@pytest.mark.parametrize(
    ('optim', 'frames'),
    # With 24 frames no stage has two, for which torch 2.13's weight gradient in bf16
    # holds whatever was in memory.
    [({}, 8), ({'accumulative_counts': 3}, 8), ({'type': BFloat16}, 24)],
    ids=['plain', 'accumulated', 'bf16'],
)
def test_weights_are_the_same_bit_for_bit(
    tmp_path: Path, optim: Any, frames: int
) -> None:
    plain, log = trained(tmp_path / 'a', optim=optim, frames=frames)
    hook = GradientConflictHook(interval=2)
    found, measured = trained(tmp_path / 'b', hook, optim=optim, frames=frames)
    for name, value in plain.items():
        assert torch.equal(found[name], value), name
    assert [bool(METRICS & set(entry)) for entry in measured] == [False, True] * 2
    for entry, logged in zip(measured, log, strict=True):
        assert {k: v for k, v in entry.items() if k not in METRICS} == logged
    for entry in measured[1::2]:
        assert entry.keys() >= METRICS
        assert -1 <= entry['conflict/cosine'] <= 1 and entry['conflict/ratio'] > 0


def by_hand(model: nn.Module, number: int = 4) -> tuple[list[Any], list[Any]]:
    """Gradients of each side by two backward passes of their own."""
    found = []
    for chosen in (True, False):
        model.zero_grad()
        losses = model(clips(number), samples(number), mode='loss')
        sum(
            value
            for key, value in losses.items()
            if 'loss' in key and key.startswith('parsing') == chosen
        ).backward()
        found.append({n: p.grad for n, p in model.backbone.named_parameters()})
    trunk = [n for n in found[0] if not n.startswith('layer4')]
    return tuple([grads[n].clone() for n in trunk] for grads in found)


def measured(model: nn.Module, number: int = 4) -> dict[str, Any]:
    """What the hook adds to the losses of one forward pass."""
    hook = GradientConflictHook()
    hook._measures = True
    handle = model.register_forward_hook(hook._measure, with_kwargs=True)
    losses = model(clips(number), samples(number), mode='loss')
    handle.remove()
    return {k: v for k, v in losses.items() if k in METRICS} | {'trunk': hook.trunk}


def test_the_metrics_are_those_of_two_backward_passes() -> None:
    model = human_prior().double()
    model.eval()
    model.forward = lambda *a, f=model.forward, **k: f(a[0].double(), *a[1:], **k)
    parsing, contrast = (torch.cat([g.flatten() for g in x]) for x in by_hand(model))
    model.training = True
    model.teachers.eval()
    with torch.no_grad():
        model.teachers['momentum'].momentum = 1.0
    found = measured(model)
    cosine = parsing @ contrast / parsing.norm() / contrast.norm()
    assert found['conflict/cosine'].item() == pytest.approx(cosine.item(), rel=1e-6)
    ratio = parsing.norm() / contrast.norm()
    assert found['conflict/ratio'].item() == pytest.approx(ratio.item(), rel=1e-6)
    assert found['trunk'] == len(parsing)


@pytest.mark.parametrize(
    ('form', 'stage', 'last'),
    [
        ('SharedFeature', None, 'layer4'),
        ('SplitChannels', None, 'layer4'),
        ('OwnLastStage', None, 'layer3'),
        ('SharedFeature', 'layer2', 'layer2'),
    ],
)
def test_the_trunk_is_what_both_kinds_of_task_share(
    form: str, stage: str | None, last: str
) -> None:
    model = human_prior(form, parsing={'stage': stage})
    stages = ('conv1', 'layer1', 'layer2', 'layer3', 'layer4')
    shared = stages[: stages.index(last) + 1]
    count = sum(
        p.numel()
        for name, p in model.backbone.named_parameters()
        if name.startswith(shared)
    )
    assert measured(model)['trunk'] == count


def test_known_angles() -> None:
    one = [torch.tensor([3.0, 0.0]), None, torch.tensor([4.0])]
    other = [torch.tensor([0.0, 0.0]), torch.ones(5), torch.tensor([-2.0])]
    first, second = common(one, other)
    assert first.tolist() == [3, 0, 4] and second.tolist() == [0, 0, -2]
    found = compare(first, second)
    assert found['conflict/cosine'].item() == pytest.approx(-0.8)
    assert found['conflict/ratio'].item() == pytest.approx(2.5)
    assert compare(first, first)['conflict/cosine'].item() == pytest.approx(1)
    assert compare(0 * first, second)['conflict/cosine'].item() == 0
    nothing = common([None], [torch.ones(1)])
    assert compare(*nothing)['conflict/cosine'].item() == 0


def test_weight_zero_has_no_direction() -> None:
    found = measured(human_prior(parsing={'loss_weight': 0}))
    assert found['conflict/cosine'].item() == found['conflict/ratio'].item() == 0


def one_step(rank: int, world: int, measure: bool = True) -> dict[str, Any]:
    """Measure and train one step on this process's share of four clips.

    With DDP, the gradients of the step follow.
    """
    model = human_prior().double()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    hook = GradientConflictHook()
    hook._measures = measure
    model.register_forward_hook(hook._measure, with_kwargs=True)
    wrapped = DistributedDataParallel(model) if world > 1 else model
    share = slice(rank * 4 // world, (rank + 1) * 4 // world)
    losses = wrapped(clips(4).double()[share], samples(4)[share], mode='loss')
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return {'losses': {k: v.detach() for k, v in losses.items()}, 'grad': gradients}


def test_two_processes_measure_what_one_does(tmp_path: Path) -> None:
    ranks = run_group(2, one_step, tmp_path, 2)
    alone, plain = one_step(0, 1), one_step(0, 1, measure=False)
    for found in ranks:
        for name in METRICS:
            expected = alone['losses'][name].item()
            assert found['losses'][name].item() == pytest.approx(expected, rel=1e-9)
        for name, value in plain['grad'].items():
            torch.testing.assert_close(
                found['grad'][name], value, rtol=1e-9, atol=1e-12, msg=name
            )


@pytest.mark.parametrize('tasks', [('parsin',), ('parsing', 'avid', 'rsp')])
def test_names_are_compared_with_the_model(tmp_path: Path, tasks: Any) -> None:
    with pytest.raises(UserError, match='the model has: avid, rsp, parsing'):
        trained(tmp_path, GradientConflictHook(tasks=tasks))
    with pytest.raises(UserError, match='interval 0'):
        GradientConflictHook(interval=0)
