# UCF101, split 1 unless --split says otherwise.
# Lists: python tools/data/prepare.py ucf101 --videos DIR --annotations DIR
num_classes = 101
num_splits = 3
split_lists = [
    'data/ucf101/train_split{split}.txt',
    'data/ucf101/test_split{split}.txt',
]
train_list = dict(
    ann_file='data/ucf101/train_split1.txt',
    data_prefix=dict(video='data/ucf101/videos'),
)
test_list = dict(
    ann_file='data/ucf101/test_split1.txt',
    data_prefix=dict(video='data/ucf101/videos'),
)
pretrain_list = train_list
