# The demonstration: auxSKD -> VSPP -> fine-tuning on the synthetic figures, and the
# same network from scratch beside it.
FINETUNE = './demo/finetune.py'
# Ten minutes at most on two CPU cores: half the width of the configs, so that auxSKD
# can have the steps that it needs to learn anything.
WIDTH = {'model.backbone.base_channels': 8}
HEAD = {**WIDTH, 'model.cls_head.in_channels': 64}
FAST = {
    'optim_wrapper.type': 'mmkd.AmpOptimWrapper',
    'optim_wrapper.dtype': 'auto',
    'memory_format': 'channels_last_3d',
}
RETRIEVAL = dict(
    kind='evaluate', config=FINETUNE, protocols=['retrieval'], options=HEAD
)
TEST = dict(kind='test', config=FINETUNE, options=HEAD)
PRETRAIN = {**FAST, **WIDTH}
TUNED = dict(config=FINETUNE, options={**FAST, **HEAD})
stages = dict(
    auxskd=dict(config='./demo/auxskd.py', options=PRETRAIN),
    vspp=dict(config='./demo/vspp.py', weights='auxskd', options=PRETRAIN),
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
