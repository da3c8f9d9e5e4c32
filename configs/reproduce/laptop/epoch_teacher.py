# Self-distilled fine-tuning: with and without the epoch teacher, from one backbone that
# VSPP pre-trained. Ours.
claim = (
    'Fine-tuning under the encoder of the last epoch keeps the pre-trained features '
    'better than plain fine-tuning, and classifies better.'
)
videos = dict(
    prefix='data/synthetic/videos',
    lists=[f'data/synthetic/{name}.txt' for name in ('unlabelled', 'train', 'test')],
    short_side=64,
)
held_out = dict(ann_file='data/synthetic/test.txt', interval=5)
PRETRAIN = {
    'train_dataloader.dataset.dataset.pipeline.3.scale': (54, 54),
    'train_dataloader.dataset.dataset.pipeline.4.transforms.0.size': 48,
}
SMALL = {
    'train_dataloader.dataset.pipeline.4.scale': (48, 48),
    'test_dataloader.dataset.pipeline.3.scale': (48, 48),
}
PLAIN = dict(config='../../tiny/finetune_r3d_synthetic.py', options=SMALL)
TAUGHT = dict(config='../../tiny/selfdistill_r3d_synthetic.py', options=SMALL)
START = {**SMALL, 'custom_hooks.0.teacher': 'initial'}
INITIAL = dict(config='../../tiny/selfdistill_r3d_synthetic.py', options=START)
stages = dict(
    pretrain=dict(
        config='../../tiny/vspp_r3d_synthetic.py', options=PRETRAIN, epochs=30
    ),
    plain=dict(weights='pretrain', **PLAIN),
    plain_test=dict(kind='test', weights='plain', **PLAIN),
    taught=dict(weights='pretrain', **TAUGHT),
    taught_test=dict(kind='test', weights='taught', **PLAIN),
    initial=dict(weights='pretrain', **INITIAL),
    initial_test=dict(kind='test', weights='initial', **PLAIN),
)
shared = ['pretrain']
arms = {
    'VSPP (the start)': ['pretrain'],
    'plain fine-tuning': ['plain', 'plain_test'],
    'epoch teacher': ['taught', 'taught_test'],
    'initial encoder as teacher': ['initial', 'initial_test'],
}
comparisons = [
    ('epoch teacher', 'plain fine-tuning'),
    ('initial encoder as teacher', 'plain fine-tuning'),
]
drift = {
    'plain fine-tuning': ('pretrain', 'plain'),
    'epoch teacher': ('pretrain', 'taught'),
    'initial encoder as teacher': ('pretrain', 'initial'),
}
