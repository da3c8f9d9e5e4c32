# Fine-tuning at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Without load_from it is the baseline from scratch.
_base_ = '../finetune/r3d_ucf101.py'
model = dict(
    data_preprocessor=dict(fallback='bgr255', residual=True),
    backbone=dict(base_channels=16),
    cls_head=dict(in_channels=128, num_classes=12),
)
videos = dict(video='data/synthetic/videos')
start = dict(type='mmkd.OpenVideo')
train_clip = dict(type='SampleFrames', clip_len=16, frame_interval=3)
test_clips = dict(train_clip, num_clips=5, test_mode=True)
end = (dict(type='FormatShape', input_format='NCTHW'), dict(type='PackActionInputs'))
train_pipeline = [
    *(start, train_clip, dict(type='mmkd.DecodeViews')),
    dict(type='RandomResizedCrop', area_range=(0.5, 1.0)),
    dict(type='Resize', scale=(56, 56), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='mmkd.ColorJitter'),
    *end,
]
test_pipeline = [
    *(start, test_clips, dict(type='mmkd.DecodeViews')),
    dict(type='Resize', scale=(56, 56), keep_ratio=False),
    *end,
]
train_list = dict(ann_file='data/synthetic/train.txt', data_prefix=videos)
test_list = dict(ann_file='data/synthetic/test.txt', data_prefix=videos)
train = dict(pipeline=train_pipeline, **train_list)
train_dataloader = dict(batch_size=16, num_workers=2, dataset=train)
test = dict(pipeline=test_pipeline, **test_list)
test_dataloader = dict(batch_size=4, num_workers=2, dataset=test)
train_cfg = dict(max_epochs=40)
adamw = dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
