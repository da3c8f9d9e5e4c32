# VideoPace with its "same context" contrast, R3D, UCF101. The contrast was never
# released: its projection, weight and batch are ours.
_base_ = './r3d_ucf101.py'
model = dict(
    tasks=dict(
        pace=dict(views=[0, 1]),
        contrast=dict(type='mmkd.PaceContrast', same='context'),
    )
)
pipeline = _base_.train_dataloader.dataset.dataset.pipeline
pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pipeline)))
