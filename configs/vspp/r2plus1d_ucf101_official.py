# VSPP (phase 2) by the rules of the official code, R(2+1)D, UCF101, the list of its own
# command. Two processes of 15 clips: docs/methods/auxskd.md.
_base_ = './r2plus1d_ucf101.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
