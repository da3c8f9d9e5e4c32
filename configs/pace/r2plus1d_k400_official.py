# VideoPace by the official code's sampling rule, R(2+1)D, Kinetics-400. A number is
# published, no list or number of epochs: these are ours.
_base_ = './r2plus1d_k400.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
