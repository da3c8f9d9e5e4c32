# VCOP: tell in which order three shuffled clips of a video come.
# Values are those of the released code unless marked "ours"; docs/methods/vcop.md.
pretrainer = dict(
    type='mmkd.Pretrainer',
    data_preprocessor=dict(type='mmkd.ClipPreprocessor', convention='rgb01'),
    # BatchNorm sees the first clips of the batch, then the second ones, then the third.
    joint_views=False,
    tasks=dict(order=dict(type='mmkd.ClipOrder')),
)
train_dataloader = dict(
    batch_size=8,
    num_workers=6,
    persistent_workers=True,
    # Ours: the last batch of UCF101 would be a single clip, poor for BatchNorm.
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmkd.ViewDataset',
        reader=dict(type='mmkd.OpenVideo'),
        views=dict(type='mmkd.ClipOrderViews', clip_len=16, num_clips=3, gap=8),
        resize=dict(type='Resize', scale=(171, 128), keep_ratio=False),
        augment=dict(crop=dict(type='RandomCrop', size=112)),
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=300)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0005)
)
# The learning rate stays: the released scheduler is built and never stepped.
param_scheduler = []
auto_scale_lr = dict(base_batch_size=8, enable=False)
