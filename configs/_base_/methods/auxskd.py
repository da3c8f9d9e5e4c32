# auxSKD, phase 1: similarity distillation between two clips of a video. Loader and
# optimiser are those of phase 2, but every video counts once an epoch.
# Values are those of the released code unless marked "ours"; docs/methods/auxskd.md.
_base_ = './vspp.py'
pretrainer = dict(
    tasks=dict(_delete_=True, skd=dict(type='mmkd.SimilarityDistill')),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
)
pipeline = _base_.train_dataloader.dataset.dataset.pipeline
pipeline[1].num_views = 2
videos = dict(_delete_=True, type='VideoDataset', pipeline=pipeline)
train_dataloader = dict(drop_last=True, dataset=videos)
train_cfg = dict(max_epochs=25)
