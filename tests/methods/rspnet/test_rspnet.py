"""RSPNet, two tasks with one teacher, against the official training steps."""

import zlib

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from mmkd.zoo.convert.renaming import RSPNET_RESNET, VCOP_RESNET, Table
from tests.golden import Golden, load_golden
from tests.golden_step import StepCheck, check_batch_norms, load_by_table
from tests.shared_files import ROOT

TEMPERATURE = 0.07
#: The official code encodes the keys of the other speed first, and the running
#: statistics of the teacher tell. Views are encoded in the order of their numbers.
QUERY, OTHER, SAME = 0, 1, 2
PREFIXES = {
    'queue_ptr': 'tasks.avid.queue.pointer',
    'queue': 'tasks.avid.queue.features',
    'encoder_q.fc1.2.': 'tasks.avid.projector.layers.0.',
    'encoder_q.fc2.2.': 'tasks.rsp.projector.layers.0.',
    'encoder_k.fc1.2.': 'teachers.momentum.heads.avid.layers.0.',
    'encoder_k.fc2.2.': 'teachers.momentum.heads.rsp.layers.0.',
    'encoder_q.encoder.': 'backbone.',
    'encoder_k.encoder.': 'teachers.momentum.backbone.',
}


def build(net: str, unused_classifier: str) -> Pretrainer:
    cfg = Config.fromfile(ROOT / f'configs/rspnet/{net}_k400.py').model
    cfg.tasks.avid.update(queue_size=16, teacher_views=(SAME, OTHER))
    cfg.tasks.rsp.update(teacher_views=(SAME, OTHER))
    model = MODELS.build(cfg)
    # The official encoders carry a classifier that nothing uses, and count it.
    for backbone in (model.backbone, model.teachers['momentum'].backbone):
        backbone.add_module(unused_classifier, nn.Linear(512, 1))
    model.teachers.requires_grad_(False)
    return model


def with_official_queue(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Apply the exception of the rule: features of norm 1, and ours lie in rows."""
    rng = np.random.default_rng(zlib.crc32(b'queue'))
    queue = rng.standard_normal(tuple(state['queue'].shape))
    queue /= np.sqrt((queue**2).sum(axis=0))
    return {**state, 'queue': torch.from_numpy(queue.T.astype('float32'))}


def cut(window: Tensor, normal: Tensor) -> Tensor:
    """Cut windows ``(N, 3, T, H, W)`` to clips of half the length, at either speed."""
    length = window.shape[2] // 2
    clips = [
        clip[:, :length] if natural else clip[:, ::2]
        for clip, natural in zip(window, normal, strict=True)
    ]
    return torch.stack(clips)


def official_views(golden: Golden, number: int) -> Tensor:
    """Return the clips ``(N, 3, 3, T, H, W)`` of one step."""
    permutation = golden.spec['speed_permutation'][number - 1]
    normal = torch.zeros(len(permutation), dtype=torch.bool)
    normal[permutation[: len(permutation) // 2]] = True
    query, key = (golden.inputs(f's{number}.window_{name}') for name in 'qk')
    views = {
        QUERY: cut(query, normal),
        SAME: cut(key, normal),
        OTHER: cut(key, ~normal),
    }
    return torch.stack([views[i] for i in range(3)], dim=1)


class Embeddings:
    """Keeps the normalised outputs of the projections of one step, in their order."""

    def __init__(self, model: Pretrainer) -> None:
        self.seen: dict[str, list[Tensor]] = {}
        for name in ('avid', 'rsp'):
            self._watch(f'q_{name}', model.tasks[name].projector)
            self._watch(f'k_{name}', model.teachers['momentum'].heads[name])

    def _watch(self, key: str, module: nn.Module) -> None:
        def keep(module: object, inputs: object, output: Tensor) -> None:
            self.seen.setdefault(key, []).append(normalize(output.detach(), dim=1))

        module.register_forward_hook(keep)

    def take(self, name: str) -> tuple[Tensor, dict[int, Tensor]]:
        """Return and forget the query and the keys by view."""
        (query,), keys = self.seen.pop(f'q_{name}'), self.seen.pop(f'k_{name}')
        return query, dict(zip((OTHER, SAME), keys, strict=True))


def check_logits(
    golden: Golden, step: str, embeddings: Embeddings, queue: Tensor, double: bool
) -> None:
    query, keys = embeddings.take('avid')
    negatives = query @ queue.t()
    for name, view in (('A1', SAME), ('A2', OTHER)):
        positive = (query * keys[view]).sum(dim=1, keepdim=True)
        logits = torch.cat([positive, negatives], dim=1) / TEMPERATURE
        golden.check(f'{step}.logits_{name}', logits, double)
    query, keys = embeddings.take('rsp')
    for name, view in (('pos', SAME), ('neg', OTHER)):
        similarity = (query * keys[view]).sum(dim=1) / TEMPERATURE
        golden.check(f'{step}.rank_{name}', similarity, double)


def check_losses(
    golden: Golden, step: str, losses: dict[str, Tensor], double: bool
) -> Tensor:
    first, second = losses[f'avid/loss_{SAME}'], losses[f'avid/loss_{OTHER}']
    total = sum(value for name, value in losses.items() if 'loss' in name)
    golden.check(f'{step}.ce1', first, double)
    golden.check(f'{step}.ce2', second, double)
    golden.check(f'{step}.loss_A', first + second, double)
    golden.check(f'{step}.loss_M', losses['rsp/loss'], double)
    golden.check(f'{step}.loss', total, double)
    return total


@pytest.mark.parametrize('double', [False, True])
@pytest.mark.parametrize(
    ('name', 'net', 'classifier', 'naming'),
    [
        pytest.param(
            *('rspnet_step_resnet18', 'resnet18', 'fc', RSPNET_RESNET),
            marks=pytest.mark.slow,
        ),
        ('rspnet_step_r21d', 'r2plus1d', 'linear', VCOP_RESNET),
    ],
)
def test_two_official_steps(
    name: str, net: str, classifier: str, naming: Table, double: bool
) -> None:
    golden = load_golden(name)
    model = build(net, classifier)
    state = with_official_queue(golden.state_dict())
    table = load_by_table(model, state, PREFIXES, naming)
    # The official teacher starts unlike the student; ours copies it in its first step.
    model.teachers['momentum'].steps.fill_(1)
    dtype = torch.float64 if double else torch.float32
    model = model.to(dtype).train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trainable) == golden.spec['trainable_parameters']
    optimizer = torch.optim.SGD(
        trainable, lr=0.05 * 4 / 64, momentum=0.9, weight_decay=1e-4
    )
    embeddings = Embeddings(model)
    queue = model.tasks['avid'].queue
    check = StepCheck(golden, model, table, double)
    for number in (1, 2):
        step = f's{number}'
        check.remember()
        negatives = queue.features.clone()
        losses = model(official_views(golden, number).to(dtype), mode='loss')
        total = check_losses(golden, step, losses, double)
        optimizer.zero_grad()
        total.backward()
        check_logits(golden, step, embeddings, negatives, double)
        check.check_gradients(step, 'encoder_q')
        check.check_change(step, 'encoder_k')
        optimizer.step()
        check.check_change(step, 'encoder_q')
        if not double:
            golden.check(f'{step}.queue', queue.features.t())
        golden.check(f'{step}.queue_ptr', queue.pointer.reshape(1))
    check_batch_norms(golden, model, table, double)
