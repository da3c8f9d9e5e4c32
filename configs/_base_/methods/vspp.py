# VSPP, phase 2: predict the pace and which segment runs faster.
# Values are those of the released code, which is VideoPace's in loader and optimiser,
# unless marked "ours"; docs/methods/auxskd.md.
# The sampling rule is ours; to compare with published numbers take *_official.py.
pretrainer = dict(
    type='mmkd.Pretrainer',
    data_preprocessor=dict(type='mmkd.ClipPreprocessor', convention='bgr255'),
    tasks=dict(vspp=dict(type='mmkd.SegmentPace')),
)
train_dataloader = dict(
    batch_size=30,
    num_workers=6,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmkd.ViewDataset',
        # The released code lists every video of UCF101 ten times an epoch.
        repeat=10,
        reader=dict(type='mmkd.OpenVideo'),
        # Ours: exact segments, a start where the clip fits, and no segment label at
        # speed 1. That quarter of the clips counts in the mean of the segment's loss,
        # which therefore weighs 0.75 of the released one. rule='official' has none of
        # this.
        views=dict(type='mmkd.SegmentPaceViews', clip_len=16, num_views=1, rule='ours'),
        resize=dict(type='Resize', scale=(171, 128), keep_ratio=False),
        augment=dict(
            crop=dict(type='RandomCrop', size=112),
            flip=dict(type='Flip', flip_ratio=0.5),
            color=dict(type='mmkd.ColorJitter', per_frame=True),
        ),
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=20)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.005)
)
param_scheduler = [dict(type='StepLR', step_size=6, gamma=0.1)]
auto_scale_lr = dict(base_batch_size=30, enable=False)
