# VideoPace, S3D-G, 64 frames of 224 pixels, UCF101.
_base_ = [
    '../_base_/models/s3dg.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/methods/pace.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
pipeline = _base_.train_dataloader.dataset.dataset.pipeline
pipeline[1].clip_len = 64
pipeline[3].scale = (256, 256)
pipeline[4].transforms[0].size = 224
videos = dict(pipeline=pipeline, **_base_.pretrain_list)
train_dataloader = dict(batch_size=32, dataset=dict(dataset=videos))
auto_scale_lr = dict(base_batch_size=32)
