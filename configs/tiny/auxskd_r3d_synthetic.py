# auxSKD at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Frame differences as input: at this size a network learns little from whole frames.
# 525 steps of 32, a teacher that follows within them, anchors: a third of the videos.
_base_ = '../auxskd/r3d_ucf101.py'
model = dict(
    data_preprocessor=dict(residual=True),
    backbone=dict(base_channels=16),
    tasks=dict(skd=dict(queue_size=80)),
    teachers=dict(momentum=dict(momentum=0.99)),
)
videos = dict(
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    views=dict(frame_interval=2),
    resize=dict(scale=(64, 64)),
    augment=dict(crop=dict(size=56), color=dict(per_frame=False)),
)
train_dataloader = dict(batch_size=32, num_workers=2, dataset=videos)
train_cfg = dict(max_epochs=75)
adamw = dict(_delete_=True, type='AdamW', lr=0.001, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=75, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
