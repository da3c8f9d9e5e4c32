# RSPNet at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Frame differences as input: at this size a network learns little from whole frames.
_base_ = '../rspnet/r3d_ucf101.py'
model = dict(
    data_preprocessor=dict(convention='bgr255', residual=True),
    backbone=dict(base_channels=16),
    # A third of the 240 videos, or a clip meets its own older keys.
    tasks=dict(avid=dict(queue_size=80)),
    teachers=dict(momentum=dict(momentum=0.99)),
)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    dataset=dict(
        ann_file='data/synthetic/unlabelled.txt',
        data_prefix=dict(video='data/synthetic/videos'),
        augment=dict(resize=dict(scale=(56, 56))),
    ),
)
train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=20, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=16)
