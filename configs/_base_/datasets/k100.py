# Kinetics-100: the 32 552 clips of auxSKD's list; training clips only.
# Lists: python tools/data/prepare.py kinetics100 --videos DIR --list k100.list
pretrain_list = dict(
    ann_file='data/kinetics100/train.txt',
    data_prefix=dict(video='data/kinetics100/videos'),
)
