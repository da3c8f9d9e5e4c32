"""The reference does the same work: it leaves the weights that our step leaves."""

import pytest
import torch

from mmkd.commands.benchmark.batches import first_batch
from mmkd.commands.benchmark.hand_written import AuxSKD, FineTuning, hand_written_step
from mmkd.commands.benchmark.training import Variant, build_model, training_step
from mmkd.models.teacher import Encoder
from tests.commands.benchmark.tiny import auxskd, fine_tuning, vcop


@pytest.mark.parametrize('way', ['fp32', 'bf16+cl'])
@pytest.mark.parametrize(
    ('make', 'kind'), [(auxskd, AuxSKD), (fine_tuning, FineTuning)]
)
def test_the_same_weights_after_three_steps(make, kind, way):
    cfg = make()
    cfg.optim_wrapper.optimizer.lr = 0.001
    batch, variant = first_batch(cfg, 4, rendered=True), Variant.parse(way)
    ours, theirs = build_model(cfg, 4), build_model(cfg, 4)
    start = {name: value.clone() for name, value in ours.state_dict().items()}
    step = training_step(cfg, ours, batch, variant)
    by_hand = hand_written_step(
        theirs, dict(cfg.optim_wrapper.optimizer), batch, variant
    )
    assert type(by_hand) is kind
    for one in (ours, theirs):
        if hasattr(one, 'teachers'):  # The first time, it becomes a copy.
            heads = {'skd': one.tasks.skd.projector}
            one.teachers.momentum.update(Encoder(one.backbone, heads))
    for _ in range(3):
        step()
        by_hand()
    found = theirs.state_dict()
    for name, value in ours.state_dict().items():
        if name.split('.')[-1] in ('steps', 'pointer'):  # it counts for itself
            continue
        torch.testing.assert_close(value, found[name], rtol=1e-4, atol=1e-5, msg=name)
    assert not torch.allclose(
        found['backbone.conv1a.conv.weight'], start['backbone.conv1a.conv.weight']
    )


def test_other_methods_have_none():
    cfg = vcop()
    batch = first_batch(cfg, 2, rendered=True)
    optimizer = dict(cfg.optim_wrapper.optimizer)
    model = build_model(cfg, 2)
    assert hand_written_step(model, optimizer, batch, Variant.parse('fp32')) is None
