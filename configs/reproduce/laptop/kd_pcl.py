# KD-boosted PCL: students with and without a teacher that PCL(VCP) trained. Ours.
_base_ = '../_base_/synthetic.py'
claim = (
    'A student of PCL(VCP) that also listens to a trained teacher learns the pretext '
    'task better and faster than the same student alone; same and cross architecture.'
)
held_out = dict(ann_file='data/synthetic/test.txt', tasks=['vcp'])
level = 50.0
PCL = dict(config='../../tiny/pcl_vcp_r3d_synthetic.py')
KD = dict(config='../../tiny/pcl_kd_r3d_synthetic.py')
SHORT = {'train_cfg.max_epochs': 20, 'param_scheduler.0.T_max': 20}
HEARD = {f'model.teacher.{x}': f'{{teacher.{x}}}' for x in ('config', 'checkpoint')}
R3D = {'model.backbone.base_channels': 8}
C3D = {'model.backbone': dict(_delete_=True, type='mmkd.C3D', base_channels=8)}
STUDENT = {'model.student.backbone': C3D['model.backbone']}
STARTS = [  # stage, row of the table, config, options, the backbone of the retrieval
    ('teacher', 'teacher: R3D, width 16', dict(epochs=40, **PCL), {}, {}),
    ('r3d', 'R3D, width 8, alone', PCL, {**SHORT, **R3D}, R3D),
    ('r3d_taught', 'R3D, width 8, taught', KD, {**SHORT, **HEARD}, R3D),
    ('c3d', 'C3D, width 8, alone', PCL, {**SHORT, **C3D}, C3D),
    ('c3d_taught', 'C3D, width 8, taught', KD, {**SHORT, **HEARD, **STUDENT}, C3D),
]
stages, arms = {}, {}
for name, row, config, options, backbone in STARTS:
    options = {**_base_.PRETRAIN_48, **_base_.FAST, **options}
    stages[name] = dict(options=options, **config)
    stages[f'{name}_retrieval'] = dict(
        kind='evaluate',
        weights=name,
        protocols=['retrieval'],
        config='../../tiny/finetune_r3d_synthetic.py',
        options={**_base_.RETRIEVE_48, **backbone},
    )
    arms[row] = [name, f'{name}_retrieval']
shared = arms['teacher: R3D, width 16']
comparisons = [
    ('R3D, width 8, taught', 'R3D, width 8, alone'),
    ('C3D, width 8, taught', 'C3D, width 8, alone'),
]
