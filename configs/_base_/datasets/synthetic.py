# The synthetic figures. Made by: python tools/data/prepare.py synthetic
num_classes = 12
train_list = dict(
    ann_file='data/synthetic/train.txt',
    data_prefix=dict(video='data/synthetic/videos'),
)
test_list = dict(
    ann_file='data/synthetic/test.txt',
    data_prefix=dict(video='data/synthetic/videos'),
)
pretrain_list = dict(
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
)
