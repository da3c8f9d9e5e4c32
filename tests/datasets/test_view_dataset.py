"""A data set whose pipeline has named parts, and repeats its videos."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import RepeatDataset

from mmkd.commands.reproduce.derive import read_packed
from mmkd.datasets import ViewDataset, has_slots, pipeline_steps
from mmkd.datasets.partial_lists import FractionVideoDataset
from mmkd.engine.preflight.pipelines import check_view_slots
from mmkd.engine.sample_lists import list_digest, number_of_videos
from mmkd.errors import UserError
from mmkd.registry import DATASETS

CROP = {'type': 'RandomCrop', 'size': 112}
FLIP = {'type': 'Flip', 'flip_ratio': 0.5}
RESIZE = {'type': 'Resize', 'scale': (171, 128), 'keep_ratio': False}
VIEWS = {'type': 'mmkd.PaceViews', 'num_views': 2}
LOAD = {'type': 'mmkd.LoadPartMaps', 'cache': 'maps'}
ALIGN = {'type': 'mmkd.AlignPartMaps', 'size': 56}
SLOTS = {'views': VIEWS, 'resize': RESIZE, 'augment': {'crop': CROP, 'flip': FLIP}}
FIRST = [{'type': 'mmkd.OpenVideo'}, VIEWS, {'type': 'mmkd.DecodeViews'}]
SHAPE = {'type': 'FormatShape', 'input_format': 'NCTHW'}
PACK = {'type': 'mmkd.PackViews'}


def test_steps_come_in_the_order_of_the_slots() -> None:
    assert pipeline_steps(SLOTS) == [
        *(*FIRST, RESIZE, {'type': 'mmkd.PerView', 'transforms': [CROP, FLIP]}),
        *(SHAPE, PACK),
    ]


def test_groups_views_and_targets_stand_where_they_act() -> None:
    steps = pipeline_steps(
        {
            'targets': {'align': ALIGN, 'load': LOAD},
            'after': {'views': [1], 'flip': FLIP},
            'augment': {'groups': ((0,), (1, 2)), 'crop': CROP},
            'views': VIEWS,
            'reader': {'type': 'mmkd.OpenPacked', 'folder': 'x'},
        }
    )
    assert steps == [
        *({'type': 'mmkd.OpenPacked', 'folder': 'x'}, *FIRST[1:]),
        {
            'type': 'mmkd.WithTargets',
            'load': LOAD,
            'align': ALIGN,
            'transforms': [
                {
                    'type': 'mmkd.PerView',
                    'groups': ((0,), (1, 2)),
                    'transforms': [CROP],
                },
                {'type': 'mmkd.PerView', 'views': [1], 'transforms': [FLIP]},
            ],
        },
        *(SHAPE, PACK),
    ]


def test_a_step_that_is_none_is_left_out() -> None:
    augment = {'crop': CROP, 'flip': None}
    steps = pipeline_steps({'views': VIEWS, 'augment': augment})
    assert steps[3] == {'type': 'mmkd.PerView', 'transforms': [CROP]}
    nothing = {'crop': None}
    assert pipeline_steps({'views': VIEWS, 'augment': nothing}) == [*FIRST, SHAPE, PACK]


def test_a_plain_pipeline_is_given_as_it_is() -> None:
    # The views of a PerView are no sampler.
    for node in ({'pipeline': [CROP]}, {'type': 'mmkd.PerView', 'views': [1]}):
        assert not has_slots(node)
        assert pipeline_steps(node) == node.get('pipeline', [])


def test_a_child_config_changes_a_part_by_its_name() -> None:
    cfg = Config({'dataset': SLOTS})
    cfg.merge_from_dict({'dataset.views.num_views': 3, 'dataset.augment.crop.size': 64})
    steps = pipeline_steps(cfg.dataset)
    assert steps[1]['num_views'] == 3
    assert steps[4]['transforms'][0] == {**CROP, 'size': 64}


@pytest.mark.parametrize(
    ('slots', 'what'),
    [
        ({}, r'views is None.*PaceViews'),
        ({'views': {'num_views': 2}}, 'views is .*not the config of a transform'),
        ({**SLOTS, 'resize': [RESIZE]}, 'resize is .*not the config of a transform'),
        ({**SLOTS, 'augment': [CROP]}, 'augment holds no named steps.*crop=dict'),
        ({**SLOTS, 'after': FLIP}, 'after holds no named steps'),
        ({**SLOTS, 'augment': {'size': 3}}, r'augment\.size is 3, not the config'),
        ({**SLOTS, 'targets': {'lod': LOAD}}, "no step 'lod'.*load, align"),
        ({**SLOTS, 'repeat': 0}, 'repeat is 0'),
        ({**SLOTS, 'pipeline': []}, 'takes no pipeline.*views, resize'),
    ],
)
def test_what_a_slot_cannot_hold_is_one_line(slots: Any, what: str) -> None:
    dataset = {'type': 'mmkd.ViewDataset', 'ann_file': 'none.txt', **slots}
    cfg = Config({'train_dataloader': {'dataset': dataset}})
    with pytest.raises(UserError) as early:
        check_view_slots(cfg, ['train_dataloader'])
    with pytest.raises(UserError) as late:
        DATASETS.build(dict(dataset))
    for error in (early, late):
        assert '\n' not in str(error.value)
        error.match(what)
    early.match(r'train_dataloader\.dataset: ')


def test_the_slots_of_a_sound_config_pass() -> None:
    dataset = {'type': 'mmkd.ViewDataset', 'ann_file': 'none.txt', **SLOTS}
    check_view_slots(Config({'train_dataloader': {'dataset': dataset}}), ['x'])
    check_view_slots(
        Config({'train_dataloader': {'dataset': dataset}}), ['train_dataloader']
    )


@pytest.fixture
def ann_file(tmp_path: Path) -> str:
    (tmp_path / 'list.txt').write_text(''.join(f'{n}.mp4 {n % 2}\n' for n in range(6)))
    return str(tmp_path / 'list.txt')


class Echo(ViewDataset):
    """Gives what is known of a sample; None for video 1."""

    def prepare_data(self, idx: int) -> Any:
        return None if idx == 1 else self.get_data_info(idx)


class PlainEcho(FractionVideoDataset):
    def prepare_data(self, idx: int) -> Any:
        return None if idx == 1 else self.get_data_info(idx)


def test_repetition_is_that_of_mmengines_wrapper(ann_file: str) -> None:
    dataset = Echo(ann_file, views=VIEWS, repeat=3)
    other = RepeatDataset(PlainEcho(ann_file, pipeline=[]), times=3)
    assert len(dataset) == len(other) == 18
    for index in range(18):
        np.random.seed(index)
        ours = dataset[index]
        np.random.seed(index)
        # The same one replaces a video that gives nothing.
        assert ours == other[index]
        assert dataset.get_data_info(index)['sample_idx'] == index % 6
    assert dataset[-1] == dataset[17]
    with pytest.raises(IndexError):
        dataset[18]
    assert sum(1 for _ in dataset) == 18


def test_memory_banks_and_lists_count_each_video_once(ann_file: str) -> None:
    dataset = ViewDataset(ann_file, views=VIEWS, repeat=3)
    plain = FractionVideoDataset(ann_file, pipeline=[])
    assert number_of_videos(dataset) == number_of_videos(RepeatDataset(plain, 3)) == 6
    # A run from before goes on: what it noted of its list is what is noted now.
    for times in (1, 3):
        dataset = ViewDataset(ann_file, views=VIEWS, repeat=times)
        assert list_digest(dataset) == list_digest(RepeatDataset(plain, times))
    once = ViewDataset(ann_file, views=VIEWS)
    assert list_digest(once) == list_digest(plain)
    assert list_digest(once) != list_digest(dataset)


def test_a_fraction_is_that_of_the_other_data_set(ann_file: str) -> None:
    options = {'fraction': 0.5, 'seed': 4}
    dataset = ViewDataset(ann_file, views=VIEWS, repeat=2, **options)
    other = FractionVideoDataset(ann_file, pipeline=[], **options)
    names = [other.get_data_info(n)['filename'] for n in range(len(other))]
    found = [dataset.get_data_info(n)['filename'] for n in range(len(dataset))]
    assert found == names * 2


def test_decoded_clips_replace_a_reader_that_is_not_named() -> None:
    packed = {'type': 'mmkd.OpenPacked', 'folder': 'DIR'}
    for reader in ({}, {'reader': {'type': 'mmkd.OpenVideo', 'num_threads': 2}}):
        loader = {'dataset': {**SLOTS, **reader}}
        read_packed(loader, 'DIR')
        assert pipeline_steps(loader['dataset'])[0] == packed
