# VideoPace at laptop size on real video: UT-Interaction, set 1 and others.
_base_ = './pace_r3d_synthetic.py'
videos = dict(
    ann_file='data/ut_interaction/pretrain.txt',
    data_prefix=dict(video='data/ut_interaction/videos'),
)
train_dataloader = dict(dataset=videos)
