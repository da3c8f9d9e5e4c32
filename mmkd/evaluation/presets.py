"""Define the evaluation protocols by name, with their settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal

from mmengine.config import Config

from mmkd.errors import UserError

Selection = Literal['last', 'held_out', 'test_list']
Pipeline = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Preset:
    """Settings fixed by an evaluation protocol.

    Attributes:
        name: Name on the command line and beside every number.
        source: Where the protocol comes from.
        clips: Clips of a video and how they are cut, in words.
        pooling: How a clip's map becomes a vector: names in
            :data:`~mmkd.evaluation.features.POOLINGS`. Retrieval is reported for each;
            the first one bears the plain names.
        selection: Which epoch of a fine-tuning is tested: the ``'last'``, the best on
            videos ``'held_out'`` of the training list, or the best on the
            ``'test_list'`` itself.
        lists: Which lists count, in words.
        pipeline: Test pipeline instead of the config's. None keeps that one.
        needs: Values that the config must have, by their keys.
        fine_tune_needs: The same, for fine-tuning only.
        advice: Which config has them.
        differences: What the published results did otherwise.
    """

    name: str
    source: str
    clips: str
    pooling: tuple[str, ...]
    selection: Selection
    lists: str
    pipeline: Pipeline | None = None
    needs: Mapping[str, Any] = field(default_factory=dict)
    fine_tune_needs: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ''
    differences: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """All forms of pooling that are needed; the first is what others read."""
        return tuple(dict.fromkeys(('average', *self.pooling)))

    def check(self, cfg: Config, fine_tune: bool) -> None:
        """Check that a fine-tuning config can give results of this protocol.

        Raises:
            UserError: If a value is another one.
        """
        needs = {**self.needs, **(self.fine_tune_needs if fine_tune else {})}
        for key, wanted in needs.items():
            found = reduce(_child, key.split('.'), cfg)
            if found != wanted:
                raise UserError(
                    f'the protocol {self.name} has {key}={wanted!r}, {cfg.filename} '
                    f'has {found!r}',
                    self.advice,
                )

    def as_dict(self) -> dict[str, Any]:
        """Return what a report says of the protocol."""
        return {
            'name': self.name,
            'source': self.source,
            'clips': self.clips,
            'pooling': list(self.pooling),
            'selection': self.selection,
            'lists': self.lists,
            'differences': list(self.differences),
        }


def _child(value: Any, key: str) -> Any:
    return value.get(key) if hasattr(value, 'get') else None


def _clips(resize: dict[str, Any], **sampling: Any) -> Pipeline:
    """Return a test pipeline: ten clips of 16 frames, the centre 112 x 112."""
    sampler = {'type': 'mmkd.EvenClips', 'clip_len': 16, 'num_clips': 10}
    return (
        {'type': 'mmkd.OpenVideo'},
        {**sampler, **sampling},
        {'type': 'mmkd.DecodeViews'},
        {'type': 'Resize', **resize},
        {'type': 'CenterCrop', 'crop_size': 112},
        {'type': 'FormatShape', 'input_format': 'NCTHW'},
        {'type': 'PackActionInputs'},
    )


# Nothing is chosen on the test list.
_OURS = Preset(
    name='ours',
    source='ours',
    clips="those of the config's test data loader (ten, the centre square, in the "
    'full-size configs); features and logits averaged over them',
    pooling=('average', 'max'),
    selection='held_out',
    lists='all videos of both lists; the epoch of a fine-tuning is chosen on a tenth '
    'of the training list, drawn with seed 632 (or on what the config holds out)',
)

_VCOP = Preset(
    name='vcop',
    source='released code of VCOP (Xu et al., CVPR 2019)',
    clips='ten of 16 frames, evenly spread; 171 x 128, the centre 112 x 112; features '
    'and logits averaged over them',
    pooling=('max',),
    selection='held_out',
    lists='test videos query the training videos of the same split; the epoch of a '
    'fine-tuning is chosen on 800 (UCF101) or 400 (HMDB51) training videos',
    # Frames are brought to 171 x 128 whatever their shape.
    pipeline=_clips({'scale': (171, 128), 'keep_ratio': False}, protocol='vcop'),
    fine_tune_needs={
        'train_cfg.max_epochs': 150,
        'train_dataloader.batch_size': 8,
        'train_dataloader.dataset.type': 'mmkd.SplitVideoDataset',
        'optim_wrapper.optimizer.lr': 0.001,
        'optim_wrapper.optimizer.weight_decay': 0.0005,
    },
    advice='Take configs/finetune/<network>_<data>_vcop.py.',
    differences=(
        'all videos count; the released code loses the last incomplete batch (7 of '
        '3783 queries and 1 of 9537 training videos of UCF101, split 1)',
        'which videos are held out, and an epoch judged by one centre clip: ours',
        'linear probe and kNN: ours, on averaged maps',
    ),
)

# That of VCOP on differences of frames.
_PCL = replace(
    _VCOP,
    name='pcl',
    source='released code of PCL, https://arxiv.org/abs/2010.15464',
    pooling=('max', 'average'),
    needs={'model.data_preprocessor.residual': True},
    advice='Take configs/finetune/r3d_<data>_pcl.py, or set '
    'model.data_preprocessor.residual=True.',
    differences=(
        *_VCOP.differences,
        'R3D-18 is compared by its averaged map: see the metrics "average"',
        'pixels stay normalised as in pre-training; the released fine-tuning drops it',
    ),
)

_RSPNET = Preset(
    name='rspnet',
    source='released code of RSPNet, https://arxiv.org/abs/2011.07949',
    clips='ten of 16 frames, from the first frame to the last; the largest centre '
    'square at 112 x 112; features and logits averaged over them',
    pooling=('average',),
    selection='test_list',
    lists='test videos query the training videos of the same split; the epoch of a '
    'fine-tuning is CHOSEN ON THE TEST LIST, as the published results are: not to be '
    'compared with results of the other protocols',
    pipeline=_clips({'scale': (-1, 112)}),
    fine_tune_needs={
        'train_dataloader.dataset.type': 'VideoDataset',
        'optim_wrapper.optimizer.weight_decay': 0.0001,
    },
    advice='Take configs/finetune/<network>_<data>.py, or c3d_<data>_rspnet.py.',
    differences=(
        'training videos of the retrieval go through the test pipeline; the released '
        'code crops and flips them at random and drops the last batch',
        "the released code averages the map; the paper's supplement says max-pooling",
        'S3D-G sees 64 x 224 x 224: take the protocol ours, with its clips',
        'linear probe and kNN: ours',
    ),
)

PRESETS = {preset.name: preset for preset in (_OURS, _VCOP, _PCL, _RSPNET)}
