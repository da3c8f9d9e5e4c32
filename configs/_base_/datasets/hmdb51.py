# HMDB51, split 1 unless --split says otherwise.
# Lists: python tools/data/prepare.py hmdb51 --videos DIR --annotations DIR
num_classes = 51
num_splits = 3
split_lists = [
    'data/hmdb51/train_split{split}.txt',
    'data/hmdb51/test_split{split}.txt',
]
train_list = dict(
    ann_file='data/hmdb51/train_split1.txt',
    data_prefix=dict(video='data/hmdb51/videos'),
)
test_list = dict(
    ann_file='data/hmdb51/test_split1.txt',
    data_prefix=dict(video='data/hmdb51/videos'),
)
pretrain_list = train_list
