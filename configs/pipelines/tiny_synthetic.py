# The demonstration: auxSKD -> VSPP -> fine-tuning on the synthetic figures, and the
# same network from scratch beside it.
FINETUNE = '../tiny/finetune_r3d_synthetic.py'
RETRIEVAL = dict(kind='evaluate', config=FINETUNE, protocols=['retrieval'])
TEST = dict(kind='test', config=FINETUNE)
# Curves for the report: kNN on the labelled videos, the tasks on held-out ones.
CLIP = (
    dict(type='mmkd.OpenVideo'),
    dict(type='SampleFrames', clip_len=16, frame_interval=3, test_mode=True),
    dict(type='mmkd.DecodeViews'),
    dict(type='Resize', scale=(56, 56), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
)
LABELLED = dict(
    type='VideoDataset',
    ann_file='data/synthetic/train.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    pipeline=CLIP,
    test_mode=True,
)
KNN = dict(type='mmkd.OnlineKNNHook', gallery=LABELLED)
WATCH = {'default_hooks.online_knn': KNN}
HELD_OUT = dict(ann_file='data/synthetic/test.txt', tasks=['vspp'], interval=5)
HELD_OUT['type'] = 'mmkd.HeldOutPretextHook'
VSPP = {**WATCH, 'default_hooks.held_out': HELD_OUT}
stages = dict(
    auxskd=dict(config='../tiny/auxskd_r3d_synthetic.py', options=WATCH),
    vspp=dict(config='../tiny/vspp_r3d_synthetic.py', weights='auxskd', options=VSPP),
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
