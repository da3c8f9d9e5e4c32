# VCOP at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Frame differences as input: at this size a network learns little from whole frames.
_base_ = '../vcop/r3d_ucf101.py'
model = dict(data_preprocessor=dict(residual=True), backbone=dict(base_channels=16))
pipeline = _base_.train_dataloader.dataset.pipeline
pipeline[1].gap = 4
pipeline[3].scale = (64, 64)
pipeline[4].transforms[0].size = 56
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
