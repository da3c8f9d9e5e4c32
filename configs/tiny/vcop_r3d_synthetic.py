# VCOP at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Frame differences as input: at this size a network learns little from whole frames.
_base_ = '../vcop/r3d_ucf101.py'
model = dict(data_preprocessor=dict(residual=True), backbone=dict(base_channels=16))
videos = dict(
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    views=dict(gap=4),
    resize=dict(scale=(64, 64)),
    augment=dict(crop=dict(size=56)),
)
train_dataloader = dict(batch_size=16, num_workers=2, dataset=videos)
train_cfg = dict(max_epochs=40)
adamw = dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=1))
