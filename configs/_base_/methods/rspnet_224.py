# RSPNet at 224 pixels, as S3D-G has it; all else as in rspnet.py.
_base_ = './rspnet.py'
_base_.train_dataloader.dataset.pipeline[3].transforms[1].scale = (224, 224)
