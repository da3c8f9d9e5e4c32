# The rendered figures of tools/data/prepare.py synthetic, decoded once at 64 pixels.
videos = dict(
    prefix='data/synthetic/videos',
    lists=[f'data/synthetic/{name}.txt' for name in ('unlabelled', 'train', 'test')],
    short_side=64,
)
# Pixels of the clips that VSPP and PCL are trained on.
PRETRAIN_48 = {
    'train_dataloader.dataset.resize.scale': (54, 54),
    'train_dataloader.dataset.augment.crop.size': 48,
}
# And of those that networks are fine-tuned and tested on.
FINETUNE_48 = {
    'train_dataloader.dataset.pipeline.Resize.scale': (48, 48),
    'test_dataloader.dataset.pipeline.Resize.scale': (48, 48),
}
# And of those that features of a network that PCL trained are read from.
RETRIEVE_48 = {
    'test_dataloader.dataset.pipeline.Resize.scale': (48, 48),
}
# bfloat16 and this order of memory halve a step where the CPU computes in it; one that
# would imitate it takes float32.
FAST = {
    'optim_wrapper.type': 'mmkd.AmpOptimWrapper',
    'optim_wrapper.dtype': 'auto',
    'memory_format': 'channels_last_3d',
}
