# PCL(VCP) at laptop size: R3D of width 16, clips of 8 frames and 64 pixels, the
# synthetic figures. Ours.
_base_ = '../pcl/r3d_vcp_ucf101.py'
model = dict(
    backbone=dict(base_channels=16),
    # Of 240 videos, the own one would be among 64 of them in 23 of 100 samples.
    tasks=dict(contrast=dict(num_negatives=64, exclude_own=True)),
)
videos = dict(
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    views=dict(clip_len=8, interval=4),
    resize=dict(scale=(72, 72)),
    augment=dict(crop=dict(size=64)),
)
train_dataloader = dict(batch_size=16, num_workers=2, dataset=videos)
train_cfg = dict(max_epochs=40)
adamw = dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=1))
