# auxSKD at laptop size on real video: UT-Interaction, set 1 and its unlabelled clips.
_base_ = './auxskd_r3d_synthetic.py'
# 158 videos, 4 steps an epoch: a third of them in the queue, and 500 steps.
model = dict(tasks=dict(skd=dict(queue_size=52)))
train_dataloader = dict(
    dataset=dict(
        ann_file='data/ut_interaction/pretrain.txt',
        data_prefix=dict(video='data/ut_interaction/videos'),
    )
)
train_cfg = dict(max_epochs=125)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=125, by_epoch=True)]
