# The whole chain of auxSKD: both phases on Kinetics-100, then UCF101.
# Phase 2 starts from epoch 18, the released code's default.
FINETUNE = '../finetune/r3d_ucf101.py'
stages = dict(
    auxskd=dict(config='../auxskd/r3d_k100.py'),
    vspp=dict(config='../vspp/r3d_k100.py', weights='auxskd', epoch=18),
    retrieval=dict(
        kind='evaluate', config=FINETUNE, weights='vspp', protocols=['retrieval']
    ),
    finetune=dict(config=FINETUNE, weights='vspp'),
    test=dict(kind='test', config=FINETUNE, weights='finetune'),
)
table = {'auxSKD -> VSPP': ['auxskd', 'vspp', 'retrieval', 'finetune', 'test']}
