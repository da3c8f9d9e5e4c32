# RSPNet at laptop size: R3D of width 16, 64 pixels, the synthetic figures. Ours.
_base_ = '../rspnet/r3d_ucf101.py'
model = dict(
    backbone=dict(base_channels=16),
    # Well below the 240 videos, or a clip meets its own older keys.
    tasks=dict(avid=dict(queue_size=96)),
    teachers=dict(momentum=dict(momentum=0.99)),
)
# The figures move slowly; the shortest videos have 48 frames.
_base_.train_dataloader.dataset.pipeline[1].speeds = (1, 3)
# Weaker than released, for a few minutes do not suffice to see through more.
_base_.train_dataloader.dataset.pipeline[3].transforms[0].area_range = (0.7, 1.0)
_base_.train_dataloader.dataset.pipeline[3].transforms[1].scale = (64, 64)
_base_.train_dataloader.dataset.pipeline[3].transforms[3].update(
    brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05
)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    dataset=dict(
        ann_file='data/synthetic/unlabelled.txt',
        data_prefix=dict(video='data/synthetic/videos'),
    ),
)
train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=20, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=16)
