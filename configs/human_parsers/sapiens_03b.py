# Sapiens segmentation 0.3B as TorchScript: 28 labels, 1.24 TFLOPs a frame.
# Weights (CC BY-NC 4.0: no commercial use; 1.36 GB):
# https://huggingface.co/facebook/sapiens-seg-0.3b-torchscript
# A TorchScript file is a program: take it from its publisher only.
parser = dict(
    type='mmkd.ExportedParser',
    file='data/teachers/sapiens/sapiens_0.3b_goliath_best_goliath_mIoU_7673_epoch_194'
    '_torchscript.pt2',
    label_set='sapiens',
    size=(1024, 768),
    mean=(123.5, 116.5, 103.5),
    std=(58.5, 57.0, 57.5),
    step=16,
    publisher='https://huggingface.co/facebook/sapiens-seg-0.3b-torchscript',
)
