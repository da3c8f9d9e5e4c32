# Supervised fine-tuning by PCL's released settings: residual frames, crops only, best
# epoch and learning rate by videos held out of the *training* list. Ours: the pixels
# stay normalised as in pre-training, and the rate goes by accuracy, not by loss.
# docs/methods/pcl.md.
_base_ = './finetune_vcop.py'
data_preprocessor = dict(fallback='imagenet', residual=True)
param_scheduler = [
    dict(
        type='ReduceOnPlateauLR',
        monitor='acc/top1',
        rule='greater',
        factor=0.1,
        patience=30,
    )
]
