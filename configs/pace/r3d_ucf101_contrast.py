# VideoPace with its "same context" contrast, R3D, UCF101. The contrast was never
# released: its projection, temperature, weight (PCL's) and batch are ours.
_base_ = './r3d_ucf101.py'
model = dict(
    tasks=dict(
        pace=dict(views=[0, 1]),
        contrast=dict(
            type='mmkd.PaceContrast', same='context', temperature=0.1, loss_weight=0.5
        ),
    )
)
train_dataloader = dict(dataset=dict(views=dict(num_views=2)))
