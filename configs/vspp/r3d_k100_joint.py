# VSPP and auxSKD at once ("meanwhile" in the paper's abstract), R3D, Kinetics-100.
# VSPP reads auxSKD's student view. Weights of 1: ours.
_base_ = './r3d_k100.py'
model = dict(
    tasks=dict(skd=dict(type='mmkd.SimilarityDistill')),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
)
train_dataloader = dict(drop_last=True, dataset=dict(views=dict(num_views=2)))
