# Every tiny pre-training at the size of the recorded gates (docs/gates.md): half the
# width (not PCL(VCP), which teaches), 48 pixels, clips that are decoded once. Steps,
# batch, queue, momentum and rate are those of the configs. Before it (docs/data.md has
# the lists of UT-Interaction):
#   python tools/data/pack.py data/synthetic/unlabelled.txt data/packed/synthetic \
#       --prefix data/synthetic/videos --short-side 64
#   python tools/data/pack.py data/ut_interaction/pretrain.txt \
#       data/packed/ut_interaction --prefix data/ut_interaction/videos --short-side 64
# and the maps that the two configs of the human prior name. Afterwards:
#   python tools/gates.py work_dirs/pipelines/gates/* --page docs/gates.md
PIXELS = {
    'auxskd': {'resize.scale': (54, 54), 'augment.crop.size': 48},
    'rspnet': {'augment.resize.scale': (48, 48)},
    'human_prior': {'augment.resize.scale': (48, 48), 'targets.align.size': 48},
}
# A teacher is built from its config, and the student of pcl_kd has this width there.
OWN_WIDTH = ('pcl_vcp', 'pcl_kd')


def gate(method, videos='synthetic', **more):
    """Return the stage of a tiny config."""
    clips = 'train_dataloader.dataset.'
    options = {
        'optim_wrapper.type': 'mmkd.AmpOptimWrapper',
        'optim_wrapper.dtype': 'auto',
        'memory_format': 'channels_last_3d',
        'default_hooks.logger.interval': 1,
        clips + 'reader.type': 'mmkd.OpenPacked',
        clips + 'reader.folder': f'data/packed/{videos}',
    }
    if method not in OWN_WIDTH:
        options['model.backbone.base_channels'] = 8
    pixels = PIXELS.get(method, PIXELS['auxskd'])
    options.update({clips + name: value for name, value in pixels.items()})
    return dict(config=f'../tiny/{method}_r3d_{videos}.py', options=options, **more)


UT = 'ut_interaction'
stages = dict(
    vcop_ut=gate('vcop', UT),
    pcl_vcop=gate('pcl_vcop'),
    human_prior=gate('human_prior'),
    pcl_vcp=gate('pcl_vcp'),
    pcl_kd=gate('pcl_kd', teacher='pcl_vcp'),
    vspp=gate('vspp'),
    pace=gate('pace'),
    rotation=gate('rotation'),
    pcl_rotnet=gate('pcl_rotnet'),
    auxskd_ut=gate('auxskd', UT),
    pcl_vcop_ut=gate('pcl_vcop', UT),
    pcl_vcp_ut=gate('pcl_vcp', UT),
    pcl_kd_ut=gate('pcl_kd', UT, teacher='pcl_vcp_ut'),
    pcl_rotnet_ut=gate('pcl_rotnet', UT),
    vspp_ut=gate('vspp', UT),
    pace_ut=gate('pace', UT),
    rotation_ut=gate('rotation', UT),
    rspnet_ut=gate('rspnet', UT),
    human_prior_ut=gate('human_prior', UT),
    vcop=gate('vcop'),
    rspnet=gate('rspnet'),
    auxskd=gate('auxskd'),
)
