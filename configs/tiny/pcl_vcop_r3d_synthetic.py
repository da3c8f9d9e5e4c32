# PCL(VCOP) at laptop size: R3D of width 16, 48 pixels, the synthetic figures. Ours.
# The contrast has little weight: it asks clips of a video to look alike, and with its
# usual weight a network of this size never learns their order; docs/methods/pcl.md.
_base_ = '../pcl/r3d_vcop_ucf101.py'
model = dict(
    backbone=dict(base_channels=16),
    # Of 240 videos, the own one would be among 64 of them in 23 of 100 samples.
    tasks=dict(contrast=dict(num_negatives=64, exclude_own=True, loss_weight=0.02)),
)
videos = dict(
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    views=dict(gap=4),
    resize=dict(scale=(54, 54)),
    augment=dict(crop=dict(size=48)),
)
train_dataloader = dict(batch_size=16, num_workers=2, dataset=videos)
train_cfg = dict(max_epochs=40)
adamw = dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=1))
