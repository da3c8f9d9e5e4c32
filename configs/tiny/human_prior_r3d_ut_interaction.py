# Human prior at laptop size on real video, UT-Interaction. Ours. Maps, once before:
#   python tools/teacher/extract.py configs/human_parsers/bodypix_s16.py \
#       data/ut_interaction/pretrain.txt data/ut_interaction/maps/bodypix
_base_ = './human_prior_r3d_synthetic.py'
_base_.train_dataloader.dataset.pipeline[3].cache = 'data/ut_interaction/maps/bodypix'
model = dict(tasks=dict(parsing=dict(label_set='bodypix')))
train_dataloader = dict(
    dataset=dict(
        ann_file='data/ut_interaction/pretrain.txt',
        data_prefix=dict(video='data/ut_interaction/videos'),
    )
)
