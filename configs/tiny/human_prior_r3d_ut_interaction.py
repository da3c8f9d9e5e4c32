# Human prior at laptop size on real video, UT-Interaction. Ours. Maps, once before:
#   python tools/teacher/extract.py configs/human_parsers/bodypix_s16.py \
#       data/ut_interaction/pretrain.txt data/ut_interaction/maps/bodypix
_base_ = './human_prior_r3d_synthetic.py'
# 158 videos, 9 steps an epoch: a third of them in the queue, and 540 steps.
model = dict(tasks=dict(parsing=dict(label_set='bodypix'), avid=dict(queue_size=52)))
train_dataloader = dict(
    dataset=dict(
        ann_file='data/ut_interaction/pretrain.txt',
        data_prefix=dict(video='data/ut_interaction/videos'),
        targets=dict(load=dict(cache='data/ut_interaction/maps/bodypix')),
    )
)
train_cfg = dict(max_epochs=60)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=60, by_epoch=True)]
