import multiprocessing

import numpy as np
import pytest
import torch

from mmkd.commands.benchmark.batches import first_batch
from mmkd.commands.benchmark.measurements import Plan
from mmkd.commands.benchmark.memory import MIB, _in_child, peak_bytes, remove_teachers
from mmkd.commands.benchmark.training import Variant, build_model, training_step
from tests.commands.benchmark.tiny import auxskd

on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason='measures the process')


def growth() -> float:
    idle = peak_bytes(lambda: None)
    return peak_bytes(lambda: np.ones(64 * MIB, np.uint8).sum()) - idle


@on_cpu
def test_the_peak_is_seen_though_it_has_passed():
    # In a process of its own, as the tool does: what earlier tests left in this one
    # may be given back to the system in between.
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert 60 * MIB <= pool.apply(growth) <= 80 * MIB


def test_without_its_teacher_a_model_still_takes_a_step():
    cfg = auxskd()
    batch, model = first_batch(cfg, 2, rendered=True), build_model(cfg, 2)
    before = sum(p.numel() for p in model.parameters())
    backbone = sum(p.numel() for p in model.backbone.parameters())
    remove_teachers(model)
    after = sum(p.numel() for p in model.parameters())
    # The head of the teacher goes as well: 32 x 8 and 8.
    assert before - after == backbone + 32 * 8 + 8
    weight = model.backbone.conv1a.conv.weight.clone()
    training_step(cfg, model, batch, Variant.parse('fp32'))()
    assert not torch.equal(model.backbone.conv1a.conv.weight, weight)


@on_cpu
@pytest.mark.slow
def test_a_step_in_a_process_of_its_own():
    cfg = auxskd()
    plan = Plan(batch_size=2, ways=['fp32'], steps=1)
    batch = first_batch(cfg, 2, rendered=True)
    peak, weights = _in_child(cfg, batch, plan, 'with its teachers')
    teachers = build_model(cfg, 2).teachers
    tensors = [*teachers.parameters(), *teachers.buffers()]
    assert weights == sum(t.numel() * t.element_size() for t in tensors)
    assert peak > weights
