# PCL(3DRotNet): a quarter turn of the middle clip instead of VCP's operation. The
# released code holds PCL(VCP) only; everything else here is ours. docs/methods/pcl.md.
_base_ = './pcl_vcp.py'
pretrainer = dict(
    tasks=dict(
        _delete_=True,
        rotation=dict(type='mmkd.Rotation', views=[1]),
        contrast=dict(type='mmkd.MemoryContrast'),
    )
)
# Three clips of a video; which of them comes first does not matter.
clips = dict(type='mmkd.ClipOrderViews', clip_len=16, num_clips=3, gap=8)
turn = dict(type='mmkd.RandomQuarterTurn')
train_dataloader = dict(
    dataset=dict(
        views=dict(_delete_=True, **clips),
        # The middle clip.
        after=dict(_delete_=True, views=[1], turn=turn),
    )
)
