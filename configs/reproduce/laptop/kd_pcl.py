# KD-boosted PCL: students with and without a teacher that PCL(VCP) trained. Ours.
claim = (
    'A student of PCL(VCP) that also listens to a trained teacher learns the pretext '
    'task better and faster than the same student alone; same and cross architecture.'
)
videos = dict(
    prefix='data/synthetic/videos',
    lists=[f'data/synthetic/{name}.txt' for name in ('unlabelled', 'train', 'test')],
    short_side=64,
)
held_out = dict(ann_file='data/synthetic/test.txt', interval=1, tasks=['vcp'])
level = 55.0
PCL = '../../tiny/pcl_vcp_r3d_synthetic.py'
KD = '../../tiny/pcl_kd_r3d_synthetic.py'
SHORT = {'train_cfg.max_epochs': 20, 'param_scheduler.0.T_max': 20}
TAUGHT = {
    **SHORT,
    'model.teacher.config': '{teacher.config}',
    'model.teacher.checkpoint': '{teacher.checkpoint}',
}
R3D = dict(_delete_=True, type='mmkd.R3D', base_channels=8)
C3D = dict(_delete_=True, type='mmkd.C3D', base_channels=8)
stages = dict(
    teacher=dict(config=PCL, epochs=40),
    r3d=dict(config=PCL, options={**SHORT, 'model.backbone': R3D}),
    r3d_taught=dict(config=KD, options={**TAUGHT, 'model.student.backbone': R3D}),
    c3d=dict(config=PCL, options={**SHORT, 'model.backbone': C3D}),
    c3d_taught=dict(config=KD, options={**TAUGHT, 'model.student.backbone': C3D}),
)
shared = ['teacher']
arms = {
    'teacher: R3D, width 16': ['teacher'],
    'R3D, width 8, alone': ['r3d'],
    'R3D, width 8, taught': ['r3d_taught'],
    'C3D, width 8, alone': ['c3d'],
    'C3D, width 8, taught': ['c3d_taught'],
}
comparisons = [
    ('R3D, width 8, taught', 'R3D, width 8, alone'),
    ('C3D, width 8, taught', 'C3D, width 8, alone'),
]
