# RSPNet: instance contrast and relative speed, one momentum teacher.
# Values are those of the released code unless marked "ours"; docs/methods/rspnet.md.
pretrainer = dict(
    type='mmkd.Pretrainer',
    data_preprocessor=dict(type='mmkd.ClipPreprocessor', convention='imagenet'),
    tasks=dict(
        avid=dict(type='mmkd.InstanceContrast', teacher_views=(1, 2)),
        rsp=dict(type='mmkd.RelativeSpeed'),
    ),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
    joint_views=False,
)
train_dataloader = dict(
    batch_size=32,
    num_workers=6,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmkd.ViewDataset',
        reader=dict(type='mmkd.OpenVideo'),
        views=dict(type='mmkd.RelativeSpeedViews', clip_len=16),
        augment=dict(
            groups=((0,), (1, 2)),
            crop=dict(type='RandomResizedCrop', area_range=(0.4, 1.0)),
            resize=dict(type='Resize', scale=(112, 112), keep_ratio=False),
            gray=dict(type='mmkd.RandomGrayscale', p=0.2),
            color=dict(
                type='mmkd.ColorJitter',
                brightness=0.4,
                contrast=0.4,
                saturation=0.4,
                hue=0.4,
                p=1.0,
            ),
            flip=dict(type='Flip', flip_ratio=0.5),
        ),
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
# The released rule: base x processes x batch / 64, base 0.1 (C3D, ResNet-18) or 0.05
# (R(2+1)D, S3D-G). What stands here and in the configs is the rule for one process;
# --auto-scale-lr keeps it on several.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.025, momentum=0.9, weight_decay=0.0001)
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=200, eta_min_ratio=0.001)]
auto_scale_lr = dict(base_batch_size=32, enable=False)
