# Fine-tuning with clips of 64 frames of 224 pixels, as RSPNet has them for S3D-G.
_base_ = './finetune.py'
_base_.train_dataloader.dataset.pipeline[1].clip_len = 64
_base_.train_dataloader.dataset.pipeline[4].scale = (224, 224)
_base_.test_dataloader.dataset.pipeline[1].clip_len = 64
_base_.test_dataloader.dataset.pipeline[3].scale = (-1, 224)
_base_.test_dataloader.dataset.pipeline[4].crop_size = 224
