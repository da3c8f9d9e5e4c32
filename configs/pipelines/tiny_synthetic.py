# The demonstration: auxSKD -> VSPP -> fine-tuning on the synthetic figures, and the
# same network from scratch beside it.
FINETUNE = '../tiny/finetune_r3d_synthetic.py'
RETRIEVAL = dict(kind='evaluate', config=FINETUNE, protocols=['retrieval'])
TEST = dict(kind='test', config=FINETUNE)
stages = dict(
    auxskd=dict(config='./demo/auxskd.py'),
    vspp=dict(config='./demo/vspp.py', weights='auxskd'),
    retrieval=dict(weights='vspp', **RETRIEVAL),
    finetune=dict(config=FINETUNE, weights='vspp'),
    test=dict(weights='finetune', **TEST),
    scratch_retrieval=dict(**RETRIEVAL),
    scratch=dict(config=FINETUNE),
    scratch_test=dict(weights='scratch', **TEST),
)
table = {
    'auxSKD -> VSPP': ['auxskd', 'vspp', 'retrieval', 'finetune', 'test'],
    'from scratch': ['scratch_retrieval', 'scratch', 'scratch_test'],
}
