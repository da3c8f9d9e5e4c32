"""Test pipelines of the papers, for networks that see clips of 16 x 112 x 112."""

from typing import Any

Pipeline = tuple[dict[str, Any], ...]
_START = {'type': 'mmkd.OpenVideo'}
_DECODE = {'type': 'mmkd.DecodeViews'}
_CROP = {'type': 'CenterCrop', 'crop_size': 112}
_END: Pipeline = (
    {'type': 'FormatShape', 'input_format': 'NCTHW'},
    {'type': 'PackActionInputs'},
)

# Ten clips, frames brought to 171 x 128 whatever their shape, the centre square.
VCOP_CLIPS: Pipeline = (
    _START,
    {
        'type': 'SampleFrames',
        'clip_len': 16,
        'frame_interval': 1,
        'num_clips': 10,
        'test_mode': True,
    },
    _DECODE,
    {'type': 'Resize', 'scale': (171, 128), 'keep_ratio': False},
    _CROP,
    *_END,
)

# Ten clips from the first frame to the last, the largest centre square.
RSPNET_CLIPS: Pipeline = (
    _START,
    {'type': 'mmkd.EvenClips', 'clip_len': 16, 'num_clips': 10},
    _DECODE,
    {'type': 'Resize', 'scale': (-1, 112)},
    _CROP,
    *_END,
)
