# PCL(VCP) at laptop size on real video: UT-Interaction, set 1 and its
# unlabelled clips.
_base_ = './pcl_vcp_r3d_synthetic.py'
videos = dict(
    ann_file='data/ut_interaction/pretrain.txt',
    data_prefix=dict(video='data/ut_interaction/videos'),
)
train_dataloader = dict(dataset=videos)
