# The demonstration: auxSKD -> VSPP -> fine-tuning on the synthetic figures, and the
# same network from scratch beside it.
FINETUNE = '../tiny/finetune_r3d_synthetic.py'
RETRIEVAL = dict(kind='evaluate', config=FINETUNE, protocols=['retrieval'])
TEST = dict(kind='test', config=FINETUNE)
# Ten minutes at most on two CPU cores.
FAST = {
    'optim_wrapper.type': 'mmkd.AmpOptimWrapper',
    'optim_wrapper.dtype': 'auto',
    'memory_format': 'channels_last_3d',
}
TUNED = dict(config=FINETUNE, options=FAST)
stages = dict(
    auxskd=dict(config='./demo/auxskd.py', options=FAST),
    vspp=dict(config='./demo/vspp.py', weights='auxskd', options=FAST),
    retrieval=dict(weights='vspp', **RETRIEVAL),
    finetune=dict(weights='vspp', **TUNED),
    test=dict(weights='finetune', **TEST),
    scratch_retrieval=dict(**RETRIEVAL),
    scratch=TUNED,
    scratch_test=dict(weights='scratch', **TEST),
)
table = {
    'auxSKD -> VSPP': ['auxskd', 'vspp', 'retrieval', 'finetune', 'test'],
    'from scratch': ['scratch_retrieval', 'scratch', 'scratch_test'],
}
