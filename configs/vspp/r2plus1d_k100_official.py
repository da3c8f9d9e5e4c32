# VSPP (phase 2) by the official code's rules, R(2+1)D, Kinetics-100, the set of the
# paper's abstract. Two processes of 15 clips: docs/methods/auxskd.md.
_base_ = './r2plus1d_k100.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
