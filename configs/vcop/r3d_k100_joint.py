# VCOP and auxSKD at once ("meanwhile"), R3D, Kinetics-100. The choice of views is ours:
# clips 0 and 2 of the shuffled three are auxSKD's student and teacher.
_base_ = './r3d_k100.py'
model = dict(
    data_preprocessor=dict(convention='bgr255'),
    tasks=dict(skd=dict(type='mmkd.SimilarityDistill', views=[0], teacher_views=[2])),
    teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
)
