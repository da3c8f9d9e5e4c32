import pytest
from mmengine.config import Config

from mmkd.engine.preflight.pipelines import check_evaluation_pipelines
from mmkd.errors import UserError

RESIZE = {'type': 'Resize', 'scale': (4, 4)}


@pytest.mark.parametrize('loader', ['val_dataloader', 'test_dataloader'])
@pytest.mark.parametrize(
    ('step', 'message'),
    [
        ({'type': 'SampleFrames', 'clip_len': 4, 'out_of_bound_opt': 'x'}, 'its pipe'),
        (
            {'type': 'mmkd.EvenClips', 'protocol': 'x'},
            'EvenClips: there is no protocol',
        ),
    ],
)
def test_a_mistake_is_found_before_the_first_epoch(loader, step, message):
    good = {'dataset': {'type': 'VideoDataset', 'pipeline': [RESIZE]}}
    cfg = Config({'val_dataloader': good, 'test_dataloader': good})
    check_evaluation_pipelines(cfg)
    bad = {'dataset': {'type': 'VideoDataset', 'pipeline': [RESIZE, step]}}
    cfg[loader] = {'dataset': {'type': 'RepeatDataset', 'times': 2, **bad}}
    where = rf'{loader}\.dataset\.dataset: {message}'
    with pytest.raises(UserError, match=where):
        check_evaluation_pipelines(cfg)


def test_without_validation_and_test():
    check_evaluation_pipelines(Config({'val_dataloader': None}))
