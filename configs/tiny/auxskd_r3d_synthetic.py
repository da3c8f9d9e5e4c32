# auxSKD at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
# Frame differences as input: at this size a network learns little from whole frames.
_base_ = '../auxskd/r3d_ucf101.py'
model = dict(
    data_preprocessor=dict(residual=True),
    backbone=dict(base_channels=16),
    tasks=dict(skd=dict(queue_size=960)),
)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    dataset=dict(
        ann_file='data/synthetic/unlabelled.txt',
        data_prefix=dict(video='data/synthetic/videos'),
        pipeline=[
            dict(type='DecordInit', num_threads=1),
            dict(type='mmkd.SegmentPaceViews', num_views=2, frame_interval=2),
            dict(type='mmkd.DecodeViews'),
            dict(type='Resize', scale=(64, 64), keep_ratio=False),
            dict(
                type='mmkd.PerView',
                transforms=[
                    dict(type='RandomCrop', size=56),
                    dict(type='Flip', flip_ratio=0.5),
                    dict(type='mmkd.ColorJitter'),
                ],
            ),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='mmkd.PackViews'),
        ],
    ),
)
train_cfg = dict(max_epochs=20)
adamw = dict(_delete_=True, type='AdamW', lr=0.002, weight_decay=0.05)
optim_wrapper = dict(optimizer=adamw)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=20, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
