# Kinetics-400.
# Lists: python tools/data/prepare.py kinetics400 --videos DIR --train-csv FILE
pretrain_list = dict(
    ann_file='data/kinetics400/train.txt',
    data_prefix=dict(video='data/kinetics400/videos'),
)
