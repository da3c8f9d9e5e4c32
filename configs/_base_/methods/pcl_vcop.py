# PCL(VCOP): the order of three shuffled clips instead of VCP's operation. The released
# code holds PCL(VCP) only; everything else here is ours. docs/methods/pcl.md.
_base_ = './pcl_vcp.py'
pretrainer = dict(
    tasks=dict(
        _delete_=True,
        order=dict(type='mmkd.ClipOrder'),
        # The first and the last clip of the shuffled three.
        contrast=dict(type='mmkd.MemoryContrast'),
    )
)
clips = dict(type='mmkd.ClipOrderViews', clip_len=16, num_clips=3, gap=8)
flip = dict(type='Flip', flip_ratio=0.5)
# Each clip has its own crop and colours: they are the contrast's positive pair, which
# shared ones would give away. The flip is one for all three: a clip that alone is
# flipped does not go on where the one before it ended, and its order cannot be told.
train_dataloader = dict(
    dataset=dict(
        views=dict(_delete_=True, **clips),
        augment=dict(flip=None),
        after=dict(_delete_=True, groups=((0, 1, 2),), flip=flip),
    )
)
