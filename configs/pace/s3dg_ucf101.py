# VideoPace, S3D-G, 64 frames of 224 pixels, UCF101.
# Clips of 64 frames span 253 at pace 4: shorter videos loop, which betrays the pace
# (2, 32, 58, 80 % at paces 1 to 4). Leave them out: prepare.py --min-frames 253.
_base_ = [
    '../_base_/models/s3dg.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/methods/pace.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
videos = dict(
    views=dict(clip_len=64),
    resize=dict(scale=(256, 256)),
    augment=dict(crop=dict(size=224)),
    **_base_.pretrain_list,
)
train_dataloader = dict(batch_size=32, dataset=videos)
auto_scale_lr = dict(base_batch_size=32)
