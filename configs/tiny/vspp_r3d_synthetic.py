# VSPP at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Frame differences as input: at this size a network learns little from whole frames.
_base_ = './pace_r3d_synthetic.py'
model = dict(tasks=dict(_delete_=True, vspp=dict(type='mmkd.SegmentPace')))
pipeline = _base_.train_dataloader.dataset.dataset.pipeline
pipeline[1] = dict(type='mmkd.SegmentPaceViews', num_views=1, frame_interval=2)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pipeline)))
train_cfg = dict(max_epochs=30)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=30, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
