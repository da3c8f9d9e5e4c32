# Curves for the report: kNN on the labelled videos every five epochs, on clips
# as fine-tuning takes them.
clip = (
    dict(type='mmkd.OpenVideo'),
    dict(type='SampleFrames', clip_len=8, frame_interval=6, test_mode=True),
    dict(type='mmkd.DecodeViews'),
    dict(type='Resize', scale=(48, 48), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
)
labelled = dict(
    type='VideoDataset',
    ann_file='data/synthetic/train.txt',
    data_prefix=dict(video='data/synthetic/videos'),
    pipeline=clip,
    test_mode=True,
)
knn = dict(type='mmkd.OnlineKNNHook', gallery=labelled)
