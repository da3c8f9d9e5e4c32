# VideoPace and auxSKD at once ("meanwhile"), R3D, Kinetics-100. The choice of views is
# ours: two clips of different pace; view 0 is paced and auxSKD's student.
_base_ = './r3d_k100.py'
model = dict(
    tasks=dict(skd=dict(type='mmkd.SimilarityDistill')),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
)
train_dataloader = dict(drop_last=True, dataset=dict(views=dict(num_views=2)))
