from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmkd.commands.benchmark import loader
from mmkd.commands.benchmark.batches import (
    build_dataset,
    rendered_clips,
    seed_augmentation,
)
from mmkd.commands.benchmark.loader import (
    DECODING,
    OURS,
    STOCK,
    StockClips,
    compose,
    measure_loader,
    run_until,
    stock_opening,
    stock_transforms,
)
from mmkd.commands.benchmark.measurements import Plan
from mmkd.datasets import pipeline_steps
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost
from tests.commands.benchmark.tiny import auxskd, vcop


def test_our_transforms_become_mmaction2s():
    steps = [
        {'type': 'mmkd.DecodeViews'},
        {'type': 'Resize', 'scale': (20, 16)},
        {
            'type': 'mmkd.PerView',
            'transforms': [
                {'type': 'Flip'},
                {'type': 'mmkd.ColorJitter', 'hue': 0.2, 'contrast': 0.3},
            ],
        },
        {'type': 'mmkd.PackViews'},
    ]
    assert stock_transforms(steps) == [
        {'type': 'DecordDecode'},
        {'type': 'Resize', 'scale': (20, 16)},
        {'type': 'Flip'},
        {'type': 'ColorJitter', 'contrast': 0.3, 'hue': (0.0, 0.2)},
        {'type': 'PackActionInputs'},
    ]


@pytest.mark.parametrize(
    'step',
    [
        {'type': 'mmkd.GaussianBlur'},
        {'type': 'mmkd.PerView', 'transforms': [], 'views': (0,)},
        {'type': 'mmkd.PerView', 'transforms': [{'type': 'mmkd.QuarterTurn'}]},
        {'type': 'mmkd.ColorJitter', 'p': 0.5},
    ],
)
def test_what_mmaction2_cannot_do(step):
    assert stock_transforms([step]) is None


def test_both_give_the_same_pixels_where_nothing_is_drawn():
    cfg = auxskd()
    with rendered_clips(cfg, 4) as changed:
        dataset = changed.train_dataloader.dataset
        dataset.augment = {'crop': {'type': 'CenterCrop', 'crop_size': 16}}
        pipeline = pipeline_steps(dataset)
        infos = build_dataset(changed)
        ours = compose(pipeline)
        _, opened = run_until(ours, infos.get_data_info(0), 'frame_inds')
        transforms = compose(stock_transforms(pipeline[opened:]))
        stock = StockClips(compose(pipeline[:opened]), transforms)
        for index in range(4):
            seed_augmentation(index)
            mine = ours(infos.get_data_info(index))['inputs']
            seed_augmentation(index)
            theirs = stock(infos.get_data_info(index))['inputs']
            assert mine.shape == (2, 3, 8, 16, 16)
            assert torch.equal(mine, theirs)
            assert not torch.equal(mine[0], mine[1])


def test_decoding_alone_is_all_that_happens_before_the_frames_are_there():
    with rendered_clips(auxskd(), 1) as changed:
        info = build_dataset(changed).get_data_info(0)
        steps = compose(pipeline_steps(changed.train_dataloader.dataset))
        results, _ = run_until(steps, info, 'imgs')
    assert np.shape(results['imgs']) == (16, 128, 176, 3)


def test_results():
    plan = Plan(batch_size=2, workers=0, samples=4, rounds=2, rendered=True)
    measured = measure_loader(auxskd(), plan)
    assert list(measured.arms) == [OURS, STOCK, DECODING]
    assert len(measured.ratios) == 2 and not measured.notes
    for arm in measured.arms.values():
        assert arm['clips/s'] == pytest.approx(8 / arm['seconds'])
    assert measured.work['clip'] == '8 x 16 x 16' and measured.work['views'] == 2


def test_without_a_counterpart_it_says_so():
    cfg = vcop()
    extra = {'type': 'mmkd.RandomGrayscale', 'p': 0.2}
    cfg.train_dataloader.dataset.augment.gray = extra
    plan = Plan(batch_size=1, workers=0, samples=1, rounds=1, rendered=True)
    measured = measure_loader(cfg, plan)
    assert STOCK not in measured.arms and 'no counterpart' in measured.notes[0]


def test_the_reference_opens_videos_as_mmaction_does():
    ours = [{'type': 'mmkd.OpenVideo'}, {'type': 'SampleFrames', 'clip_len': 4}]
    assert stock_opening(ours) == [
        {'type': 'DecordInit', 'num_threads': 1},
        {'type': 'SampleFrames', 'clip_len': 4},
    ]


def test_mmaction_reads_the_originals(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        loader, '_arm', lambda infos, *_: seen.append(infos) or (lambda: 1.0)
    )
    with rendered_clips(auxskd(), 2) as cfg, rendered_clips(auxskd(), 2) as other:
        source = innermost(other.train_dataloader.dataset)
        folder = source.data_prefix.video
        plan = Plan(samples=2, rounds=1, originals=(source.ann_file, folder))
        measured = measure_loader(cfg, plan)
        folders = [{Path(info['filename']).parent for info in infos} for infos in seen]
        mine = {Path(innermost(cfg.train_dataloader.dataset).data_prefix.video)}
        assert list(measured.arms) == [OURS, STOCK, DECODING]
        assert folders == [mine, {Path(folder)}, mine]
        assert 'those they were made from' in measured.work['input']

        lines = Path(source.ann_file).read_text().splitlines()
        Path(source.ann_file).write_text('\n'.join(reversed(lines)))
        with pytest.raises(UserError, match='has 1 where the list of the config has 0'):
            measure_loader(cfg, plan)


def test_time_for_which_the_process_computes(monkeypatch):
    ticks = iter(range(0, 1000, 7))
    monkeypatch.setitem(loader.CLOCKS, 'cpu', lambda: float(next(ticks)))
    options = {'samples': 2, 'rounds': 2, 'rendered': True}
    plan = Plan(batch_size=1, workers=0, clock='cpu', **options)
    threads = torch.get_num_threads(), cv2.getNumThreads()
    measured = measure_loader(auxskd(), plan)
    assert {arm['seconds'] for arm in measured.arms.values()} == {7.0}
    assert measured.work['clock'] == 'cpu'
    assert (torch.get_num_threads(), cv2.getNumThreads()) == threads
