# Fine-tuning at laptop size on real video: UT-Interaction, set 1 against set 2.
_base_ = './finetune_r3d_synthetic.py'
model = dict(cls_head=dict(num_classes=6))
videos = dict(video='data/ut_interaction/videos')
train_list = dict(ann_file='data/ut_interaction/set1.txt', data_prefix=videos)
test_list = dict(ann_file='data/ut_interaction/set2.txt', data_prefix=videos)
train_dataloader = dict(dataset=dict(**train_list))
test_dataloader = dict(dataset=dict(**test_list))
