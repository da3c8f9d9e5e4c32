# PCL(VCOP): the order of three shuffled clips instead of VCP's operation. The released
# code holds PCL(VCP) only; everything else here is ours. docs/methods/pcl.md.
_base_ = './pcl_vcp.py'
pretrainer = dict(
    tasks=dict(
        _delete_=True,
        order=dict(type='mmkd.ClipOrder'),
        # The clips at the first and the last place of the shuffled three.
        contrast=dict(type='mmkd.MemoryContrast'),
    )
)
pipeline = _base_.train_dataloader.dataset.pipeline
pipeline[1] = dict(type='mmkd.ClipOrderViews', clip_len=16, num_clips=3, gap=8)
# One draw for all three: a clip that alone is flipped does not go on where the one
# before it ended, and its order cannot be told.
pipeline[4].groups = ((0, 1, 2),)
del pipeline[5]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
