# Fine-tuning by VCOP's released settings: constant learning rate, crops only.
# As released, the best epoch on videos held out of the *training* list is kept; which
# videos, and one centre clip to judge an epoch by, are ours. docs/methods/vcop.md.
# Pixels: those that the weights were trained with; the fallback is VCOP's.
data_preprocessor = dict(
    type='mmkd.ClipPreprocessor', convention='auto', fallback='rgb01'
)
head = dict(
    type='I3DHead', spatial_type='avg', dropout_ratio=0.0, average_clips='score'
)
start = dict(type='mmkd.OpenVideo')
clips = dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1)
ten_clips = dict(type='mmkd.EvenClips', clip_len=16, num_clips=10, protocol='vcop')
resize = [
    dict(type='mmkd.DecodeViews'),
    dict(type='Resize', scale=(171, 128), keep_ratio=False),
]
end = [
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
centre = [*resize, dict(type='CenterCrop', crop_size=112), *end]
loader = dict(
    batch_size=8,
    num_workers=6,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
)
train_dataloader = dict(
    **{**loader, 'sampler': dict(type='DefaultSampler', shuffle=True)},
    dataset=dict(
        type='mmkd.SplitVideoDataset',
        part='train',
        pipeline=[start, clips, *resize, dict(type='RandomCrop', size=112), *end],
    ),
)
val_dataloader = dict(
    **loader,
    dataset=dict(
        type='mmkd.SplitVideoDataset',
        part='val',
        test_mode=True,
        pipeline=[start, dict(clips, test_mode=True), *centre],
    ),
)
test_dataloader = dict(
    **{**loader, 'batch_size': 1},
    dataset=dict(
        type='VideoDataset',
        test_mode=True,
        pipeline=[start, ten_clips, *centre],
    ),
)
val_evaluator = test_evaluator = dict(type='AccMetric')
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=150, val_interval=1)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0005)
)
param_scheduler = []
auto_scale_lr = dict(base_batch_size=8, enable=False)
