# auxSKD (phase 1) by the rules of the official code, R(2+1)D, Kinetics-100: its only
# network and list that run. Two processes of 15 clips: docs/methods/auxskd.md.
_base_ = './r2plus1d_k100.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
_base_.model.tasks.skd.rule = 'official'
