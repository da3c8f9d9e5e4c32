import pytest
from mmengine.config import Config

from mmkd.engine.cfg_options import check_cfg_options, merge_cfg_options
from mmkd.engine.preflight.arguments import check_names
from mmkd.errors import UserError
from tests.shared_files import ROOT

VIEWS = {
    'type': 'mmkd.ViewDataset',
    'ann_file': 'a.txt',
    'views': {'type': 'mmkd.PaceViews', 'num_views': 1},
    'augment': {'crop': {'type': 'RandomCrop', 'size': 8}},
}
# What a data set with named slots does not have, as a whole and in part.
PIPELINES = ('pipeline', 'pipeline.3.size', 'pipeline.size', 'pipeline.Resize.scale')
SLOTS = 'Name the parts that differ: reader, views, resize, augment, after, targets.'


def config() -> Config:
    return Config(
        {
            'mine': {'a': 1},
            'model': {
                'type': 'Recognizer3D',
                'backbone': {'type': 'mmkd.R3D', 'base_channels': 8},
                'cls_head': {'type': 'I3DHead', 'num_classes': 2, 'in_channels': 8},
                'tasks': {'one': {'type': 'mmkd.ClipOrder'}},
            },
            'train_dataloader': {
                'batch_size': 2,
                'dataset': {
                    'type': 'VideoDataset',
                    'ann_file': 'a.txt',
                    'data_prefix': {'video': 'v'},
                    'pipeline': [
                        {'type': 'DecordInit'},
                        {'type': 'Resize', 'scale': (8, 8)},
                        {'type': 'SampleFrames', 'clip_len': 4},
                    ],
                },
            },
            'val_dataloader': {'dataset': dict(VIEWS)},
            'val_cfg': None,
            'train_cfg': {'by_epoch': True, 'max_epochs': 2},
            'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.1}},
            'param_scheduler': [{'type': 'CosineAnnealingLR', 'T_max': 2}],
            'default_hooks': {'checkpoint': {'type': 'CheckpointHook'}},
            'custom_hooks': [{'type': 'mmkd.LoadReportHook'}],
            'env_cfg': {'dist_cfg': {'backend': 'gloo'}},
            'test_evaluator': {'type': 'AccMetric'},
        }
    )


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('load_form', 'nothing reads load_form. Did you mean load_from?'),
        ('modle.backbone', 'nothing reads modle. Did you mean model?'),
        ('train_dataloder.batch_size', 'Did you mean train_dataloader?'),
        ('model.bakbone.depth', "no argument 'bakbone'. Did you mean backbone?"),
        ('model.backbone.dept', "mmkd.R3D has no argument 'dept'. Did you mean depth?"),
        ('model.cls_head.dropout', 'Did you mean dropout_ratio'),
        ('train_dataloader.num_worker', 'Did you mean num_workers'),
        ('train_dataloader.dataset.ann_fil', 'Did you mean ann_file?'),
        ('train_dataloader.dataset.pipeline.1.scal', 'Did you mean scale?'),
        ('train_dataloader.dataset.pipeline.3.scale', "is a list of 3, it has no '3'"),
        ('train_dataloader.dataset.pipeline.x', "is a list of 3, it has no 'x'"),
        ('train_dataloader.dataset.pipeline.-1.scale', "it has no '-1'"),
        ('train_dataloader.dataset.pipeline.1.scale.0', "(8, 8), which has no '0'"),
        ('train_dataloader.dataset.data_prefix.vidoe', 'Did you mean video?'),
        ('train_dataloader.batch_size.x', "batch_size is 2, which has no 'x'"),
        ('val_cfg.fp16', "val_cfg is None, which has no 'fp16'"),
        ('train_cfg.max_epoch', 'Did you mean max_epochs'),
        ('optim_wrapper.accumulative_count', 'Did you mean accumulative_counts?'),
        ('optim_wrapper.optimizer.momentun', "SGD has no argument 'momentun'. Did you"),
        ('optim_wrapper.paramwise_cfg.bias_lr', 'Did you mean bias_lr_mult'),
        ('param_scheduler.0.T_mx', 'Did you mean T_max?'),
        ('default_hooks.checkpont.interval', 'Did you mean checkpoint?'),
        ('default_hooks.checkpoint.intervall', 'Did you mean interval?'),
        ('custom_hooks.0.strikt', 'Did you mean strict?'),
        ('randomness.sed', 'Did you mean seed?'),
        ('env_cfg.cudnn_benchmrk', 'Did you mean cudnn_benchmark?'),
        ('test_evaluator.metric_lits', 'Did you mean metric_list'),
        ('model.tasks.two.tau', "model.tasks has no 'two'"),
        ('train_dataloader.dataset.pipeline.2.tempo', 'SampleFrames has no argument'),
        ('default_hooks.checkpoint.tempo', "CheckpointHook has no argument 'tempo'"),
        *((f'val_dataloader.dataset.{key}', SLOTS) for key in PIPELINES),
        ('val_dataloader.dataset.tempo', "mmkd.ViewDataset has no argument 'tempo'"),
        ('val_dataloader.dataset.augment.0.size', "augment has no '0'"),
        ('val_dataloader.dataset.augment.crop.tempo', 'RandomCrop has no argument'),
        ('model..type', 'there is a name missing'),
    ],
)
def test_a_key_that_fits_nowhere_is_named_with_the_nearest(key, message):
    cfg = config()
    with pytest.raises(UserError) as caught:
        merge_cfg_options(cfg, {key: 1})
    assert str(caught.value).startswith(f'--cfg-options {key}: ')
    assert message in str(caught.value)
    assert cfg._cfg_dict == config()._cfg_dict


@pytest.mark.parametrize(
    'options',
    [
        {'note': [1]},
        {'mine.b': 2},
        {'load_from': 'a.pth'},
        {'compile.mode': 'default'},
        {'model.backbone.depth': 18},
        {'model.cls_head.init_cfg.std': 1},
        {'model.tasks.two.type': 'mmkd.Rotation', 'model.tasks.two.loss_weight': 2},
        {'model.cls_head.dropout_ratio': 0.1},
        {'train_dataloader.num_workers': 0},
        {'train_dataloader.dataset.multi_class': True},
        {'train_dataloader.dataset.pipeline.0.num_threads': 2},
        {'train_dataloader.dataset.pipeline.1.keep_ratio': False},
        {'train_cfg.val_interval': 2},
        {'optim_wrapper.type': 'mmkd.AmpOptimWrapper', 'optim_wrapper.dtype': 'bf16'},
        {'optim_wrapper.accumulative_counts': 2},
        {'optim_wrapper.optimizer.nesterov': True},
        {'optim_wrapper.optimizer.type': 'AdamW', 'optim_wrapper.optimizer.eps': 1},
        {'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult': 0.1},
        {'optim_wrapper.clip_grad.max_norm': 1},
        {'param_scheduler.0.eta_min': 0},
        {'param_scheduler.0.convert_to_iter_based': True},
        {'default_hooks.checkpoint.save_best': 'auto'},
        {'default_hooks.ema.type': 'EMAHook', 'default_hooks.ema.momentum': 0.1},
        {'custom_hooks.0.priority': 'LOW'},
        {'randomness.seed': 1},
        {'env_cfg.dist_cfg.timeout': 10},
        {'test_evaluator.metric_list': 'mean_class_accuracy'},
        {'test_evaluator.prefix': 'x'},
    ],
)
def test_what_the_class_takes_is_merged(options):
    cfg, expected = config(), config()
    merge_cfg_options(cfg, options)
    expected.merge_from_dict(dict(options))
    assert cfg._cfg_dict == expected._cfg_dict


def test_options_are_checked_without_a_change():
    cfg = config()
    check_cfg_options(cfg, {'model.backbone.base_channels': 16}, "stage 'a': option")
    assert cfg.model.backbone.base_channels == 8
    with pytest.raises(UserError, match=r"^stage 'a': option load_form: nothing reads"):
        check_cfg_options(cfg, {'load_form': 'x'}, "stage 'a': option")


@pytest.mark.parametrize(
    ('text', 'meant'),
    [
        ("load_form = 'a.pth'", 'load_from'),
        ('optim_wraper = dict()', 'optim_wrapper'),
        ('resum = True', 'resume'),
        ('models = dict()', 'model'),
    ],
)
def test_a_name_of_a_file_that_is_nearly_one_of_the_runner(tmp_path, text, meant):
    path = tmp_path / 'c.py'
    path.write_text(text)
    with pytest.raises(UserError, match=f'nothing reads .*Did you mean {meant}'):
        check_names(Config.fromfile(path))


def test_other_names_of_a_file_are_free(tmp_path):
    (tmp_path / 'base.py').write_text('modes = [1]\nsomething = 3\nlr = 0.1\n')
    path = tmp_path / 'c.py'
    # ``modes`` is read by the file itself.
    path.write_text("_base_ = './base.py'\nlog_level = _base_.modes[0]\nvideos = 2\n")
    check_names(Config.fromfile(path))


def test_a_step_is_named_by_its_type() -> None:
    steps = [
        {'type': 'mmkd.EvenClips', 'clip_len': 16},
        {'type': 'Resize', 'scale': (8, 8)},
        {'type': 'Flip', 'flip_ratio': 0.5},
        {'type': 'Flip', 'flip_ratio': 0.1},
    ]
    cfg = Config({'test_dataloader': {'dataset': {'pipeline': steps}}})
    path = 'test_dataloader.dataset.pipeline'
    merge_cfg_options(
        cfg, {f'{path}.Resize.scale': (4, 4), f'{path}.EvenClips.clip_len': 8}
    )
    merged = cfg.test_dataloader.dataset.pipeline
    assert [merged[0].clip_len, merged[1].scale] == [8, (4, 4)]
    for name in ('Flip', 'CenterCrop'):  # two of them, and none
        with pytest.raises(UserError, match=f"it has no '{name}'"):
            merge_cfg_options(cfg, {f'{path}.{name}.flip_ratio': 1.0})


@pytest.mark.parametrize(
    ('path', 'key', 'instead'),
    [
        ('pcl_vcop_r3d', 'clips.gap', 'train_dataloader.dataset.views.gap'),
        ('finetune_r3d', 'num_classes', 'model.cls_head.num_classes'),
        ('vspp_r3d', 'pretrain_list.ann_file', 'train_dataloader.dataset.ann_file'),
        ('vspp_r3d', 'pretrainer.tasks', 'model.tasks'),
        (
            'finetune_r3d',
            'train_pipeline.SampleFrames.clip_len',
            'train_dataloader.dataset.pipeline.1.clip_len',
        ),
    ],
)
def test_a_variable_that_was_used_is_no_option(path, key, instead):
    cfg = Config.fromfile(ROOT / f'configs/tiny/{path}_synthetic.py')
    before = cfg._cfg_dict.to_dict()
    with pytest.raises(UserError, match='used when it was read') as caught:
        merge_cfg_options(cfg, {key: 1})
    assert caught.value.remedy.endswith(f'or give {instead}.')
    assert cfg._cfg_dict.to_dict() == before
