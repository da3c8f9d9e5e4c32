# Fine-tuning with clips of 64 frames of 224 pixels, as RSPNet has them for S3D-G.
_base_ = './finetune.py'
train_pipeline = [
    dict(type='mmkd.OpenVideo'),
    dict(type='SampleFrames', clip_len=64, frame_interval=1, num_clips=1),
    dict(type='mmkd.DecodeViews'),
    dict(type='RandomResizedCrop', area_range=(0.25, 1.0)),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='mmkd.OpenVideo'),
    dict(type='mmkd.EvenClips', clip_len=64, num_clips=10),
    dict(type='mmkd.DecodeViews'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
