# RSPNet at 224 pixels, as S3D-G has it; all else as in rspnet.py.
_base_ = './rspnet.py'
train_dataloader = dict(
    dataset=dict(augment=dict(resize=dict(scale=(224, 224)))),
)
