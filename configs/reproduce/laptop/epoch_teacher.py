# Self-distilled fine-tuning: with and without the epoch teacher, from one backbone that
# VSPP pre-trained. Ours.
_base_ = '../_base_/synthetic.py'
claim = (
    'Fine-tuning under the encoder of the last epoch keeps the pre-trained features '
    'better than plain fine-tuning, and classifies better.'
)
held_out = dict(ann_file='data/synthetic/test.txt', interval=5)
PRETRAIN = {**_base_.PRETRAIN_48, **_base_.FAST}
SMALL = {**_base_.FINETUNE_48, **_base_.FAST}
PLAIN = dict(config='../../tiny/finetune_r3d_synthetic.py', options=SMALL)
TAUGHT = dict(config='../../tiny/selfdistill_r3d_synthetic.py', options=SMALL)
stages = dict(
    pretrain=dict(
        config='../../tiny/vspp_r3d_synthetic.py', options=PRETRAIN, epochs=30
    ),
)
arms = {'VSPP (the start)': ['pretrain']}
for name, row, config in (
    ('plain', 'plain fine-tuning', PLAIN),
    ('taught', 'epoch teacher', TAUGHT),
):
    stages[name] = dict(weights='pretrain', **config)
    stages[f'{name}_test'] = dict(kind='test', weights=name, **PLAIN)
    arms[row] = [name, f'{name}_test']
shared = ['pretrain']
comparisons = [('epoch teacher', 'plain fine-tuning')]
drift = {row: ('pretrain', arms[row][0]) for row in arms if row != 'VSPP (the start)'}
