# Fine-tuning of the demonstration: the tiny config with 8 frames of the same span, 48
# pixels, shorter.
_base_ = '../../tiny/finetune_r3d_synthetic.py'
train_clip = dict(type='SampleFrames', clip_len=8, frame_interval=6)
test_clips = dict(train_clip, num_clips=5, test_mode=True)
decode = dict(type='mmkd.DecodeViews')
resize = dict(type='Resize', scale=(48, 48), keep_ratio=False)
train_pipeline = [
    *(_base_.start, train_clip, decode),
    dict(type='RandomResizedCrop', area_range=(0.5, 1.0)),
    resize,
    dict(type='Flip', flip_ratio=0.5),
    dict(type='mmkd.ColorJitter'),
    *_base_.end,
]
test_pipeline = [_base_.start, test_clips, decode, resize, *_base_.end]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
train_cfg = dict(max_epochs=30)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=30, by_epoch=True)]
