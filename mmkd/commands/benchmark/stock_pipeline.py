"""The same clips by MMAction2's own transforms: the reference of our loader."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

Results = dict[str, Any]
Pipeline = Sequence[Mapping[str, Any]]
_SAME = {'mmkd.DecodeViews': 'DecordDecode', 'mmkd.PackViews': 'PackActionInputs'}


def compose(steps: Any) -> Compose:
    """Build transforms from their configs."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return Compose(list(steps))


def run_until(pipeline: Compose, results: Results, key: str) -> tuple[Results, int]:
    """Apply transforms until one has written ``key``; tell how many it took.

    With ``'imgs'`` the frames are decoded and nothing else is done.
    """
    for number, transform in enumerate(pipeline.transforms, start=1):
        results = transform(results)
        if key in results:
            return results, number
    return results, len(pipeline.transforms)


def stock_opening(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return configs up to the sampler, with MMAction2's way to open a video."""
    decord = {'type': 'DecordInit', 'num_threads': 1}
    return [decord if t['type'] == 'mmkd.OpenVideo' else dict(t) for t in pipeline]


def stock_transforms(pipeline: Pipeline) -> list[dict[str, Any]] | None:
    """Return MMAction2's counterpart of a pipeline from decoding on, for one clip.

    None if one of our transforms has no counterpart there.
    """
    result: list[dict[str, Any]] = []
    for step in pipeline:
        found = _stock(step)
        if found is None:
            return None
        result += found
    return result


def _stock(step: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    kind = str(step['type'])
    if kind == 'mmkd.PerView' and set(step) == {'type', 'transforms'}:
        return stock_transforms(step['transforms'])
    if kind == 'mmkd.ColorJitter' and step.get('p', 1.0) == 1.0:
        return [_stock_jitter(step)]
    if kind in _SAME:
        return [{'type': _SAME[kind]}]
    return None if kind.startswith('mmkd.') else [dict(step)]


def _stock_jitter(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return MMAction2's jitter, whose negative hues fail with NumPy 2."""
    kept = ('brightness', 'contrast', 'saturation')
    jitter = {'type': 'ColorJitter', **{k: step[k] for k in kept if k in step}}
    hue = step.get('hue', 0.1)
    largest = hue if isinstance(hue, (int, float)) else max(map(abs, hue))
    return {**jitter, 'hue': (0.0, float(largest))}


class StockClips:
    """Read each clip of a sample by itself, as a stock pipeline of one clip does.

    The sampler, the last of ``opening``, draws first, so that the frames are those of
    our loader; then each clip is opened, decoded and augmented alone by MMAction2's
    ``transforms``: it has no other way to two clips of one video that differ in crop,
    flip and jitter.
    """

    def __init__(self, opening: Compose, transforms: Compose) -> None:
        self.opening = opening
        self.transforms = transforms

    def __call__(self, info: Results) -> Results:
        """Return ``inputs`` of shape ``(M, 3, T, H, W)``."""
        sampled, _ = run_until(self.opening, dict(info), 'frame_inds')
        clips = np.reshape(sampled['frame_inds'], (sampled['num_clips'], -1))
        packed = [self._clip(info, sampled, frames) for frames in clips]
        inputs = torch.cat([one['inputs'] for one in packed])
        return {'inputs': inputs, 'data_samples': packed[0]['data_samples']}

    def _clip(self, info: Results, sampled: Results, frames: np.ndarray) -> Results:
        reader, sampled['video_reader'] = sampled.get('video_reader'), None
        if reader is None:  # a stock data set opens the video for each of its clips
            reader = self.opening.transforms[0](dict(info))['video_reader']
        state = {
            'video_reader': reader,
            'frame_inds': frames,
            'num_clips': 1,
            'clip_len': len(frames),
        }
        return self.transforms({**sampled, **state})
