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
held_out = dict(ann_file='data/synthetic/test.txt', rounds=2, tasks=['vcp'])
level = 50.0
PCL = dict(config='../../tiny/pcl_vcp_r3d_synthetic.py')
KD = dict(config='../../tiny/pcl_kd_r3d_synthetic.py')
SMALL = {
    'train_dataloader.dataset.pipeline.3.scale': (54, 54),
    'train_dataloader.dataset.pipeline.4.transforms.0.size': 48,
}
SHORT = {**SMALL, 'train_cfg.max_epochs': 20, 'param_scheduler.0.T_max': 20}
TAUGHT = {
    **SHORT,
    'model.teacher.config': '{teacher.config}',
    'model.teacher.checkpoint': '{teacher.checkpoint}',
}
R3D = {'model.backbone.base_channels': 8}
C3D = {'model.backbone': dict(_delete_=True, type='mmkd.C3D', base_channels=8)}
C3D_STUDENT = {'model.student.backbone': C3D['model.backbone']}
stages = dict(
    teacher=dict(options=SMALL, epochs=40, **PCL),
    r3d=dict(options={**SHORT, **R3D}, **PCL),
    r3d_taught=dict(options=TAUGHT, **KD),
    c3d=dict(options={**SHORT, **C3D}, **PCL),
    c3d_taught=dict(options={**TAUGHT, **C3D_STUDENT}, **KD),
)
CLASSES = dict(kind='evaluate', config='../../tiny/finetune_r3d_synthetic.py')
SEEN = {
    'model.data_preprocessor.convention': 'imagenet',
    'test_dataloader.dataset.pipeline.3.scale': (48, 48),
}
for name, network in dict(teacher={}, r3d=R3D, r3d_taught=R3D).items():
    options = {**SEEN, **network}
    measure = dict(weights=name, protocols=['retrieval'], options=options, **CLASSES)
    stages[f'{name}_retrieval'] = measure
for name in ('c3d', 'c3d_taught'):
    measure = dict(weights=name, protocols=['retrieval'], options={**SEEN, **C3D})
    stages[f'{name}_retrieval'] = dict(**measure, **CLASSES)
shared = ['teacher', 'teacher_retrieval']
arms = {
    'teacher: R3D, width 16': ['teacher', 'teacher_retrieval'],
    'R3D, width 8, alone': ['r3d', 'r3d_retrieval'],
    'R3D, width 8, taught': ['r3d_taught', 'r3d_taught_retrieval'],
    'C3D, width 8, alone': ['c3d', 'c3d_retrieval'],
    'C3D, width 8, taught': ['c3d_taught', 'c3d_taught_retrieval'],
}
comparisons = [
    ('R3D, width 8, taught', 'R3D, width 8, alone'),
    ('C3D, width 8, taught', 'C3D, width 8, alone'),
]
