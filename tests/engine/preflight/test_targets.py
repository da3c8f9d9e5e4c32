import pytest
from mmengine.config import Config

from mmkd.engine.preflight.pipelines import check_targets
from mmkd.errors import UserError
from tests.methods.human_prior.part_samples import make_cache


def check(tmp_path, first, wrap=False, **step):
    (tmp_path / 'list.txt').write_text(f'{first} -1\n')
    load = {'type': 'mmkd.LoadPartMaps', 'cache': str(tmp_path / 'cache'), **step}
    dataset = {
        'ann_file': str(tmp_path / 'list.txt'),
        'data_prefix': {'video': 'data/videos'},
        'pipeline': [
            {'type': 'DecordInit'},
            {'type': 'mmkd.WithTargets', 'load': load},
        ],
    }
    dataset = {'datasets': [dataset]} if wrap else dataset
    cfg = Config({'train_dataloader': {'dataset': dataset}})
    check_targets(cfg, ('train_dataloader', 'val_dataloader'))


def test_the_older_form_of_a_pipeline_is_refused():
    steps = [
        {'type': 'mmkd.LoadPartMaps', 'cache': 'x'},
        {'type': 'mmkd.AlignPartMaps'},
    ]
    cfg = Config({'train_dataloader': {'dataset': {'pipeline': steps}}})
    with pytest.raises(UserError, match='follow the pixels') as error:
        check_targets(cfg, ('train_dataloader',))
    assert 'mmkd.WithTargets' in str(error.value)


@pytest.mark.parametrize('wrap', [False, True])
def test_a_missing_cache_and_a_missing_video(tmp_path, wrap):
    with pytest.raises(UserError, match='holds no part maps'):
        check(tmp_path, 'a/b.avi', wrap)
    make_cache(tmp_path / 'cache')
    check(tmp_path, 'a/b.avi', wrap)
    with pytest.raises(UserError, match=r'no part maps of a/c\.avi, the first video'):
        check(tmp_path, 'a/c.avi', wrap)
    check(tmp_path, 'a/c.avi', wrap, missing='invalid')
