# 3DRotNet's pretext task: tell by how many quarter turns a clip was turned.
# Optimiser and steps of the released script; one random turn a clip, the augmentation,
# the learning rate and the number of epochs are ours. docs/methods/rotation.md.
pretrainer = dict(
    type='mmkd.Pretrainer',
    data_preprocessor=dict(type='mmkd.ClipPreprocessor', convention='imagenet'),
    tasks=dict(rotation=dict(type='mmkd.Rotation')),
)
train_dataloader = dict(
    batch_size=32,
    num_workers=6,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmkd.ViewDataset',
        reader=dict(type='mmkd.OpenVideo'),
        views=dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1),
        resize=dict(type='Resize', scale=(171, 128), keep_ratio=False),
        augment=dict(
            crop=dict(type='RandomCrop', size=112),
            turn=dict(type='mmkd.RandomQuarterTurn'),
        ),
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
# Ours: a quarter of the script's 0.1, which is for 32 x 4 clips; here a batch has 32.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.025, momentum=0.9, weight_decay=0.001)
)
param_scheduler = [dict(type='StepLR', step_size=24000, gamma=0.1, by_epoch=False)]
auto_scale_lr = dict(base_batch_size=32, enable=False)
