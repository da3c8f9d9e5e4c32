# auxSKD, phase 1: similarity distillation between two clips of a video. Loader and
# optimiser are those of phase 2, but every video counts once an epoch.
# Values are those of the released code unless marked "ours"; docs/methods/auxskd.md.
# The sampling rule (see vspp.py) and the start of the queue (rows of norm 1) are ours;
# to compare with published numbers take *_official.py. The released code ran on two
# GPUs of 15 clips; one process normalises 30 at once and cannot exchange them.
pretrainer = dict(
    type='mmkd.Pretrainer',
    data_preprocessor=dict(type='mmkd.ClipPreprocessor', convention='bgr255'),
    tasks=dict(skd=dict(type='mmkd.SimilarityDistill', rule='ours')),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
)
train_dataloader = dict(
    batch_size=30,
    num_workers=6,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmkd.ViewDataset',
        reader=dict(type='mmkd.OpenVideo'),
        views=dict(type='mmkd.SegmentPaceViews', clip_len=16, num_views=2, rule='ours'),
        resize=dict(type='Resize', scale=(171, 128), keep_ratio=False),
        augment=dict(
            crop=dict(type='RandomCrop', size=112),
            flip=dict(type='Flip', flip_ratio=0.5),
            color=dict(type='mmkd.ColorJitter', per_frame=True),
        ),
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=25)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.005)
)
param_scheduler = [dict(type='StepLR', step_size=6, gamma=0.1)]
auto_scale_lr = dict(base_batch_size=30, enable=False)
