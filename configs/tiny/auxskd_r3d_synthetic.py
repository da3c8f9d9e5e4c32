# auxSKD at laptop size: R3D of width 16, 56 pixels, the synthetic figures. Ours.
_base_ = './vspp_r3d_synthetic.py'
model = dict(
    tasks=dict(_delete_=True, skd=dict(type='mmkd.SimilarityDistill', queue_size=960)),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
)
pipeline = _base_.train_dataloader.dataset.dataset.pipeline
pipeline[1].num_views = 2
videos = dict(
    _delete_=True,
    type='VideoDataset',
    ann_file='data/synthetic/unlabelled.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    pipeline=pipeline,
)
train_dataloader = dict(drop_last=True, dataset=videos)
train_cfg = dict(max_epochs=20)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=20, by_epoch=True)]
