# PCL(VCP): which operation was done to the middle one of three clips, and, beside it,
# contrast of the first and the last with two memory banks; residual frames.
# Values are those of the released code unless marked "ours"; docs/methods/pcl.md.
pretrainer = dict(
    type='mmkd.Pretrainer',
    data_preprocessor=dict(
        type='mmkd.ClipPreprocessor', convention='imagenet', residual=True
    ),
    # BatchNorm sees the first clips of the batch, then the second ones, then the third.
    joint_views=False,
    tasks=dict(
        vcp=dict(type='mmkd.ClipTransform'),
        contrast=dict(type='mmkd.MemoryContrast'),
    ),
)
train_dataloader = dict(
    batch_size=16,
    num_workers=6,
    persistent_workers=True,
    # Ours: a last batch of one or two clips is poor for BatchNorm.
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        pipeline=[
            dict(type='mmkd.OpenVideo'),
            dict(type='mmkd.ClipTransformViews', clip_len=16, interval=8),
            dict(type='mmkd.DecodeViews'),
            dict(type='Resize', scale=(171, 128), keep_ratio=False),
            dict(
                type='mmkd.PerView',
                transforms=[
                    dict(type='RandomCrop', size=112),
                    dict(
                        type='mmkd.ColorJitter',
                        brightness=0.4,
                        contrast=0.4,
                        saturation=0.4,
                        hue=0.1,
                    ),
                    dict(type='mmkd.RandomGrayscale', p=0.2),
                    dict(type='mmkd.GaussianBlur', sigma=(0.1, 2.0), p=0.5),
                    dict(type='Flip', flip_ratio=0.5),
                ],
            ),
            dict(
                type='mmkd.PerView',
                views=[1],
                transforms=[dict(type='mmkd.ApplyClipTransform')],
            ),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='mmkd.PackViews'),
        ],
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0005)
)
# Ours: the released code lowers the rate when the loss on the *test* list stalls.
param_scheduler = [dict(type='MultiStepLR', milestones=[120, 170], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=16, enable=False)
