# UT-Interaction: train on set 1, test on set 2 (another scene). Pre-training sees
# set 1 and its unlabelled clips, never a frame of set 2.
# Lists: python tools/data/prepare.py ut_interaction --videos DIR
num_classes = 6
train_list = dict(
    ann_file='data/ut_interaction/set1.txt',
    data_prefix=dict(video='data/ut_interaction/videos'),
)
test_list = dict(
    ann_file='data/ut_interaction/set2.txt',
    data_prefix=dict(video='data/ut_interaction/videos'),
)
pretrain_list = dict(
    ann_file='data/ut_interaction/pretrain.txt',
    data_prefix=dict(video='data/ut_interaction/videos'),
)
