# PCL(VCP) at laptop size: R3D of width 16, clips of 8 frames and 64 pixels, the
# synthetic figures. Ours.
_base_ = '../pcl/r3d_vcp_ucf101.py'
model = dict(
    backbone=dict(base_channels=16), tasks=dict(contrast=dict(num_negatives=256))
)
pipeline = _base_.train_dataloader.dataset.pipeline
pipeline[1].update(clip_len=8, interval=4)
pipeline[3].scale = (72, 72)
pipeline[4].transforms[0].size = 64
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
