"""Augmentation of whole batches of clips, as tensors on any device."""

from mmkd.datasets.tensor_augment.clip_augment import ClipAugment

__all__ = ['ClipAugment']
