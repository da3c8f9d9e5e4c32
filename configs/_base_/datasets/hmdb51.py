# HMDB51, split 1 unless MMKD_SPLIT (or --split) says otherwise.
# Lists: python tools/data/prepare.py hmdb51 --videos DIR --annotations DIR
num_classes = 51
train_list = dict(
    ann_file='data/hmdb51/train_split{{$MMKD_SPLIT:1}}.txt',
    data_prefix=dict(video='data/hmdb51/videos'),
)
test_list = dict(
    ann_file='data/hmdb51/test_split{{$MMKD_SPLIT:1}}.txt',
    data_prefix=dict(video='data/hmdb51/videos'),
)
pretrain_list = train_list
