# UCF101, split 1 unless MMKD_SPLIT (or --split) says otherwise.
# Lists: python tools/data/prepare.py ucf101 --videos DIR --annotations DIR
num_classes = 101
train_list = dict(
    ann_file='data/ucf101/train_split{{$MMKD_SPLIT:1}}.txt',
    data_prefix=dict(video='data/ucf101/videos'),
)
test_list = dict(
    ann_file='data/ucf101/test_split{{$MMKD_SPLIT:1}}.txt',
    data_prefix=dict(video='data/ucf101/videos'),
)
pretrain_list = train_list
