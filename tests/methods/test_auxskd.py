"""auxSKD against the official training steps, and its invariants."""

import zlib

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor
from torch.nn.functional import normalize

from mmkd.methods.auxskd import similarity_gain
from mmkd.models import Pretrainer
from mmkd.models.tasks import EncodedViews
from mmkd.registry import MODELS
from tests.golden import load_golden
from tests.golden_step import StepCheck, check_batch_norms, load_by_table
from tests.shared_files import ROOT

PREFIXES = {
    'queue_ptr': 'tasks.skd.queue.pointer',
    'queue': 'tasks.skd.queue.features',
    'predict_q_c.': 'tasks.skd.predictor.',
    'encoder_q.linear.': 'tasks.skd.projector.layers.0.',
    'encoder_k.linear.': 'teachers.momentum.heads.skd.layers.0.',
    'encoder_q.': 'backbone.',
    'encoder_k.': 'teachers.momentum.backbone.',
}


def build(name: str = 'r2plus1d', **task: object) -> Pretrainer:
    cfg = Config.fromfile(ROOT / f'configs/auxskd/{name}_k100.py')
    cfg.model.tasks.skd.update(task)
    return MODELS.build(cfg.model)


def with_official_queue(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Apply the exception of the rule: drawn and normalised over the queue."""
    rng = np.random.default_rng(zlib.crc32(b'queue'))
    queue = rng.standard_normal(tuple(state['queue'].shape))
    queue /= np.sqrt((queue**2).sum(axis=0))
    return {**state, 'queue': torch.from_numpy(queue.astype('float32'))}


class Recorder:
    """Keeps the last output of modules, by name."""

    def __init__(self, **modules: torch.nn.Module) -> None:
        self.seen: dict[str, Tensor] = {}
        for name, module in modules.items():
            module.register_forward_hook(self._hook(name))

    def _hook(self, name: str):
        def keep(module: object, inputs: object, output: Tensor) -> None:
            self.seen[name] = output.detach()

        return keep


@pytest.mark.parametrize('double', [False, True])
def test_two_official_steps(double: bool) -> None:
    golden = load_golden('auxskd_step_r21d')
    model = build(queue_size=16)
    table = load_by_table(model, with_official_queue(golden.state_dict()), PREFIXES)
    teacher, task = model.teachers['momentum'], model.tasks['skd']
    # The official teacher starts unlike the student; ours copies it in its first step.
    teacher.steps.fill_(1)
    dtype = torch.float64 if double else torch.float32
    model = model.to(dtype).train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trainable) == golden.spec['trainable_parameters']
    optimizer = torch.optim.SGD(trainable, lr=0.001, momentum=0.9, weight_decay=0.005)
    outputs = Recorder(
        projection=task.projector, z=task.predictor, teacher=teacher.heads['skd']
    )
    check = StepCheck(golden, model, table, double)
    for number in (1, 2):
        step = f's{number}'
        views = [golden.inputs(f'{step}.im_{x}').to(dtype) for x in 'qk']
        check.remember()
        queue = task.queue.features.clone()
        loss = model(torch.stack(views, dim=1), mode='loss')['skd/loss']
        optimizer.zero_grad()
        loss.backward()
        student_z = normalize(outputs.seen['z'], dim=1)
        teacher_z = normalize(outputs.seen['teacher'], dim=1)
        golden.check(f'{step}.student_projection', outputs.seen['projection'], double)
        golden.check(f'{step}.student_z', student_z, double)
        golden.check(f'{step}.teacher_z', teacher_z, double)
        golden.check(f'{step}.sim_q', student_z @ queue.t() / 0.1, double)
        golden.check(f'{step}.sim_k', teacher_z @ queue.t() / 0.02, double)
        golden.check(f'{step}.loss', loss, double)
        check.check_gradients(step, 'student')
        check.check_change(step, 'teacher')
        optimizer.step()
        check.check_change(step, 'student')
        if not double:
            golden.check(f'{step}.queue', task.queue.features)
        golden.check(f'{step}.queue_ptr', task.queue.pointer.reshape(1))
    check_batch_norms(golden, model, table, double)
    for who in ('student', 'teacher'):
        key = f'encoder_{"q" if who == "student" else "k"}.conv1.spatial_conv.weight'
        values = model.state_dict()[table[key]].flatten()[:48]
        golden.check(f'end.{who}_conv1', values, double)


def test_gradient_reaches_the_student_only() -> None:
    model = build('r3d', queue_size=8).train()
    clips = torch.randn(2, 2, 3, 8, 32, 32)
    queue = model.tasks['skd'].queue.features.clone()
    model(clips, mode='loss')['skd/loss'].backward()
    assert all(p.grad is None for p in model.teachers.parameters())
    assert model.tasks['skd'].queue.features.grad is None
    assert all(p.grad is not None for p in model.backbone.parameters())
    assert not torch.equal(model.tasks['skd'].queue.features, queue)


def test_a_batch_is_never_its_own_anchor() -> None:
    model = build('r3d', queue_size=2).train()
    clips = torch.randn(2, 2, 3, 8, 32, 32)
    task = model.tasks['skd']
    seen = []
    task.queue.similarities = lambda q: (
        seen.append(task.queue.features.clone()) or (q @ task.queue.features.t())
    )
    before = task.queue.features.clone()
    model(clips, mode='loss')
    assert torch.equal(seen[0], before)
    assert torch.equal(seen[1], before)
    assert not torch.isclose(task.queue.features, before).all(dim=1).any()


def test_equal_rankings_cost_nothing() -> None:
    model = build('r3d', queue_size=8, student_temperature=0.02)
    task = model.tasks['skd'].eval()
    task.predictor = torch.nn.Identity()
    maps = torch.randn(3, 512, 1, 2, 2)
    embedding = task.projector(maps)
    batch = EncodedViews({0: maps}, {1: embedding}, {})
    assert task.loss(batch)['loss'].item() == pytest.approx(0, abs=1e-6)
    assert task.loss(batch)['agreement'].item() == pytest.approx(1)


def test_agreement_is_the_correlation_over_the_queue() -> None:
    task = build('r3d', queue_size=8).tasks['skd'].eval()
    task.predictor = torch.nn.Identity()
    maps, teacher = torch.randn(3, 512, 1, 2, 2), torch.randn(3, 128)
    student = normalize(task.projector(maps), dim=1)
    queue = task.queue.features
    pairs = zip(student @ queue.t(), normalize(teacher, dim=1) @ queue.t(), strict=True)
    expected = np.mean([np.corrcoef(*(x.detach() for x in p))[0, 1] for p in pairs])
    found = task.loss(EncodedViews({0: maps}, {1: teacher}, {}))
    assert found['agreement'].item() == pytest.approx(expected, abs=1e-5)
    assert not found['agreement'].requires_grad


def test_gain_is_measured_with_the_clips_of_the_queue() -> None:
    task = build('r3d', queue_size=8).tasks['skd'].eval()
    task.predictor = torch.nn.Identity()
    maps, teacher = torch.randn(3, 512, 1, 2, 2), torch.randn(3, 128)
    student, keys = normalize(task.projector(maps), dim=1), normalize(teacher, dim=1)
    queue = task.queue.features
    own = (queue @ queue.t()).masked_fill(torch.eye(8).bool(), float('-inf'))
    found = task.loss(EncodedViews({0: maps}, {1: teacher}, {}))['gain']
    expected = similarity_gain(student @ queue.t(), keys @ queue.t(), earlier=own)
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)
    assert not found.requires_grad
