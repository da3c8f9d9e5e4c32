# The stages of the demonstration on real video (UT-Interaction).
_base_ = './tiny_synthetic.py'
labelled = dict(config='../tiny/finetune_r3d_ut_interaction.py')
stages = dict(
    auxskd=dict(config='../tiny/auxskd_r3d_ut_interaction.py'),
    vspp=dict(config='../tiny/vspp_r3d_ut_interaction.py'),
    retrieval=labelled,
    finetune=labelled,
    test=labelled,
    scratch_retrieval=labelled,
    scratch=labelled,
    scratch_test=labelled,
)
