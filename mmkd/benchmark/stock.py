"""The same clips by MMAction2's own transforms: the reference of our loader."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose

from mmkd.benchmark.pipelines import Results, run_until

Pipeline = Sequence[Mapping[str, Any]]

_SAME = {
    'mmkd.DecodeViews': 'DecordDecode',
    'mmkd.PackViews': 'PackActionInputs',
}


def stock_opening(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return a pipeline up to its sampler, with MMAction2's way to open a video.

    Args:
        pipeline: Configs of transforms, up to the sampler.
    """
    decord = {'type': 'DecordInit', 'num_threads': 1}
    return [decord if t['type'] == 'mmkd.OpenVideo' else dict(t) for t in pipeline]


def stock_transforms(pipeline: Pipeline) -> list[dict[str, Any]] | None:
    """Return MMAction2's counterpart of a pipeline behind its sampler.

    Args:
        pipeline: Configs of transforms, from decoding on.

    Returns:
        The configs for one clip; None if one of ours has no counterpart there.
    """
    result: list[dict[str, Any]] = []
    for step in pipeline:
        kind = str(step['type'])
        if kind == 'mmkd.PerView':
            if set(step) != {'type', 'transforms'}:
                return None
            inner = stock_transforms(step['transforms'])
            if inner is None:
                return None
            result += inner
        elif kind == 'mmkd.ColorJitter':
            if step.get('p', 1.0) != 1.0:
                return None
            result.append(_stock_jitter(step))
        elif kind in _SAME:
            result.append({'type': _SAME[kind]})
        elif kind.startswith('mmkd.'):
            return None
        else:
            result.append(dict(step))
    return result


def _stock_jitter(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return MMAction2's jitter, whose negative hues fail with NumPy 2."""
    kept = ('brightness', 'contrast', 'saturation')
    jitter = {'type': 'ColorJitter', **{k: step[k] for k in kept if k in step}}
    hue = step.get('hue', 0.1)
    largest = hue if isinstance(hue, (int, float)) else max(map(abs, hue))
    return {**jitter, 'hue': (0.0, float(largest))}


class StockClips:
    """Read each clip of a sample by itself, as a stock pipeline of one clip does.

    The sampler draws first, so that the frames are those of our loader; then each clip
    is opened, decoded and augmented alone: MMAction2 has no other way to two clips of
    one video that differ in crop, flip and jitter.

    Args:
        opening: Transforms that open the video and sample frames.
        transforms: MMAction2's transforms behind them, for one clip.
    """

    def __init__(self, opening: Compose, transforms: Compose) -> None:
        self.opening = opening
        self.transforms = transforms

    def __call__(self, info: Results) -> Results:
        """Return ``inputs`` of shape ``(M, 3, T, H, W)``."""
        sampled = run_until(self.opening, dict(info), 'frame_inds')
        clips = np.reshape(sampled['frame_inds'], (sampled['num_clips'], -1))
        packed = [self._clip(info, sampled, frames) for frames in clips]
        inputs = torch.cat([one['inputs'] for one in packed])
        return {'inputs': inputs, 'data_samples': packed[0]['data_samples']}

    def _clip(self, info: Results, sampled: Results, frames: np.ndarray) -> Results:
        reader, sampled['video_reader'] = sampled.get('video_reader'), None
        results = dict(info)
        if reader is None:  # a stock data set opens the video for each of its clips
            results = self.opening.transforms[0](results)
            reader = results['video_reader']
        state = {
            'video_reader': reader,
            'frame_inds': frames,
            'num_clips': 1,
            'clip_len': len(frames),
        }
        return self.transforms({**sampled, **state})
