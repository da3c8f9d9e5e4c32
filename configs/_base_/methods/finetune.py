# Supervised fine-tuning by RSPNet's released settings for R(2+1)D, which R3D is given
# as well (ours); C3D has its own. Two differences (ours):
# the last epoch is taken, because RSPNet chooses the best one on the test list; and
# the batch of 32 is that of its authors' own rerun. docs/methods/finetune.md.
# Pixels: those that the weights were trained with. The fallback, of a start from
# scratch or from weights that do not say theirs, is RSPNet's.
data_preprocessor = dict(
    type='mmkd.ClipPreprocessor', convention='auto', fallback='imagenet'
)
head = dict(
    type='I3DHead', spatial_type='avg', dropout_ratio=0.0, average_clips='score'
)
train_pipeline = [
    dict(type='mmkd.OpenVideo'),
    dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1),
    dict(type='mmkd.DecodeViews'),
    dict(type='RandomResizedCrop', area_range=(0.25, 1.0)),
    dict(type='Resize', scale=(112, 112), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='mmkd.OpenVideo'),
    dict(type='mmkd.EvenClips', clip_len=16, num_clips=10),
    dict(type='mmkd.DecodeViews'),
    dict(type='Resize', scale=(-1, 112)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(
    batch_size=32,
    num_workers=6,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='VideoDataset', pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=6,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoDataset', test_mode=True, pipeline=test_pipeline),
)
test_evaluator = dict(type='AccMetric')
test_cfg = dict(type='TestLoop')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=30)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0001)
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=30, eta_min=0.0001)]
auto_scale_lr = dict(base_batch_size=32, enable=False)
