# VSPP at laptop size on real video: UT-Interaction, set 1 and its unlabelled clips.
_base_ = './vspp_r3d_synthetic.py'
train_dataloader = dict(
    dataset=dict(
        ann_file='data/ut_interaction/pretrain.txt',
        data_prefix=dict(video='data/ut_interaction/videos'),
    )
)
