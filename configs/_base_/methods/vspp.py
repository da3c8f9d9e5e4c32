# VSPP, phase 2: predict the pace and the place of the segment that runs faster.
# It builds on VideoPace, whose loader and optimiser it shares. Values are those of the
# released code unless marked "ours"; docs/methods/auxskd.md.
_base_ = './pace.py'
pretrainer = dict(tasks=dict(_delete_=True, vspp=dict(type='mmkd.SegmentPace')))
pipeline = _base_.train_dataloader.dataset.dataset.pipeline
pipeline[1] = dict(type='mmkd.SegmentPaceViews', clip_len=16, num_views=1)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pipeline)))
train_cfg = dict(max_epochs=20)
