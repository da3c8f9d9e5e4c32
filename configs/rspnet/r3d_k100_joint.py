# RSPNet and the similarity distillation of auxSKD at once, R3D, Kinetics-100 (ours).
# The student ranks the queue by view 0, the teacher by view 2: other frames at the
# other speed, as in auxSKD. Both are encoded anyway.
_base_ = './r3d_k100.py'
model = dict(tasks=dict(skd=dict(type='mmkd.SimilarityDistill', teacher_views=(2,))))
