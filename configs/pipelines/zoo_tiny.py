# Every method at laptop size on the synthetic figures: the models of zoo/. Where
# `epochs` stands, it is less than the config says, to save time. Before it:
#   python tools/data/prepare.py synthetic
#   python tools/teacher/extract.py configs/human_parsers/synthetic.py \
#       data/synthetic/unlabelled.txt data/synthetic/maps/exact
def tiny(name, epochs=None, **more):
    stage = dict(config=f'../tiny/{name}_synthetic.py', **more)
    if epochs:
        names = ('train_cfg.max_epochs', 'param_scheduler.0.T_max')
        stage['options'] = dict.fromkeys(names, epochs)
    return stage


stages = dict(
    auxskd=tiny('auxskd_r3d'),
    vspp=tiny('vspp_r3d', 12, weights='auxskd'),
    finetune=tiny('finetune_r3d', weights='vspp'),
    selfdistill=tiny('selfdistill_r3d', weights='vspp'),
    finetune_r2plus1d=tiny('finetune_r2plus1d', 10),
    kd=tiny('kd_r2plus1d_to_r3d', 20, teacher='finetune_r2plus1d'),
    pcl_vcp=tiny('pcl_vcp_r3d', 8),
    pcl_kd=tiny('pcl_kd_r3d', 8, teacher='pcl_vcp'),
    pcl_vcop=tiny('pcl_vcop_r3d', 4),
    pcl_rotnet=tiny('pcl_rotnet_r3d', 4),
    pace=tiny('pace_r3d', 10),
    rotation=tiny('rotation_r3d', 10),
    vcop=tiny('vcop_r3d', 5),
    # Not shorter: most of a momentum teacher would be its random start.
    rspnet=tiny('rspnet_r3d'),
    human_prior=tiny('human_prior_r3d'),
)
