# PCL(VCOP) at laptop size: R3D of width 16, 48 pixels, the synthetic figures. Ours.
# The contrast has little weight: it asks clips of a video to look alike, and with its
# usual weight a network of this size never learns their order; docs/methods/pcl.md.
_base_ = '../pcl/r3d_vcop_ucf101.py'
model = dict(
    backbone=dict(base_channels=16),
    tasks=dict(contrast=dict(num_negatives=256, loss_weight=0.02)),
)
pipeline = _base_.train_dataloader.dataset.pipeline
pipeline[1].gap = 4
pipeline[3].scale = (54, 54)
pipeline[4].transforms[0].size = 48
videos = dict(
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    pipeline=pipeline,
)
train_dataloader = dict(batch_size=16, num_workers=2, dataset=videos)
train_cfg = dict(max_epochs=40)
adamw = dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=1))
