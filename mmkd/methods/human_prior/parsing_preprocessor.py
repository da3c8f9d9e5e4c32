"""A human parser that looks at the clips while the student trains on them."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import LabelData
from torch import Tensor, nn

from mmkd.datasets.dense_targets import OUTSIDE
from mmkd.datasets.transforms.following import TARGETS
from mmkd.errors import UserError
from mmkd.methods.human_prior.load_part_maps import PART_MAPS
from mmkd.methods.human_prior.part_maps.extractor import quantised, resize_probabilities
from mmkd.methods.human_prior.part_maps.identity import Form
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.human_parsers import HumanParser
from mmkd.registry import MODELS


@MODELS.register_module()
class ParsingPreprocessor(ClipPreprocessor):
    """Let a frozen parser write part maps into the samples, then preprocess them.

    It looks at the clips as the pipeline delivers them, on the model's device, and
    writes ``data_sample.targets.part_maps``, as ``mmkd.LoadPartMaps`` and
    ``mmkd.AlignPartMaps`` do from a cache. The maps fit the pixels by themselves, but
    show what the parser makes of small, coloured and grey crops, and cost its run in
    every step.

    The parser is held beside the model, not in it: neither in its state dict, nor in
    the optimiser, nor in DistributedDataParallel. It moves to the model's device,
    keeps its precision, and is always in eval mode, without gradient and autocast.

    Args:
        parser: Config of a :class:`~mmkd.models.human_parsers.HumanParser`.
        views: Views to parse; the others get no maps. Defaults to the first.
        size: Height and width of the maps. Defaults to 56.
        form: ``'labels'``: the most likely part; or quantised ``'probabilities'``.
            Defaults to ``'labels'``.
        batch_size: Frames in one call of the parser. Defaults to 64.
        **kwargs: Arguments of :class:`ClipPreprocessor`.

    Raises:
        UserError: If the parser goes by the name of the video, not by its frames, or
            there is no such form.

    Example:
        >>> weights = 'data/teachers/bodypix/weights.npz'
        >>> data_preprocessor = dict(
        ...     type='mmkd.ParsingPreprocessor',
        ...     parser=dict(type='mmkd.BodyPix', checkpoint=weights),
        ...     convention='imagenet',
        ... )
        >>> tasks = dict(parsing=dict(type='mmkd.ParsingDistill', label_set='bodypix'))
    """

    parser: HumanParser

    def __init__(
        self,
        parser: dict[str, Any],
        views: Sequence[int] = (0,),
        size: int = 56,
        form: Form = 'labels',
        batch_size: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if form not in get_args(Form):
            raise UserError(
                f'ParsingPreprocessor: form={form!r}',
                "Use 'labels' or 'probabilities'.",
            )
        # The student's start is what it is without us.
        with torch.random.fork_rng(devices=[]):
            built: HumanParser = MODELS.build(parser)
        if type(built).parse is not HumanParser.parse:
            raise UserError(
                f'{type(built).__name__} goes by the name of the video: it cannot '
                'parse augmented clips',
                'Cache its maps: python tools/teacher/extract.py --help',
            )
        # Not registered.
        self.__dict__['parser'] = built.requires_grad_(False).eval()
        self.views = tuple(views)
        self.size = size
        self.form = form
        self.batch_size = batch_size

    def preprocess(
        self, inputs: list[Tensor], data_samples: list[ActionDataSample], *args: Any
    ) -> tuple[Any, Any]:
        """Write the maps, then stack and normalise.

        Args:
            inputs: Clips ``(M, 3, T, H, W)``, uint8 RGB.
            data_samples: As many samples, changed in place.
            *args: Whatever else the base class takes.

        Raises:
            UserError: If the pipeline has loaded maps already.
        """
        for clips, sample in zip(inputs, data_samples, strict=True):
            if TARGETS in sample:
                raise UserError(
                    'the pipeline loads part maps and ParsingPreprocessor makes them',
                    'Take mmkd.ClipPreprocessor, or leave LoadPartMaps out.',
                )
            maps = LabelData(**self._part_maps(clips))
            sample.targets = LabelData(**{PART_MAPS: maps})
        return super().preprocess(inputs, data_samples, *args)

    def _part_maps(self, clips: Tensor) -> dict[str, Tensor]:
        """Return maps ``(M, T, ...)`` and validity ``(M, T)`` of one sample."""
        views = list(self.views)
        # (V, T, 3, H, W) of the views to parse; maps (V * T, ...).
        seen = clips[views].transpose(1, 2)
        found = torch.cat(
            [self._parse(x) for x in seen.flatten(0, 1).split(self.batch_size)]
        )
        blank = OUTSIDE if self.form == 'labels' else 0
        frames = clips.shape[2]
        maps = found.new_full((len(clips), frames, *found.shape[1:]), blank)
        maps[views] = found.unflatten(0, (len(views), frames))
        valid = torch.zeros(maps.shape[:2], dtype=torch.bool, device=maps.device)
        valid[views] = True
        return {'maps': maps, 'valid': valid}

    @torch.no_grad()
    def _parse(self, frames: Tensor) -> Tensor:
        """Return maps of frames ``(F, 3, H, W)``."""
        with torch.autocast(frames.device.type, enabled=False):
            scores = resize_probabilities(self.parser(frames).float(), self.size)
        return quantised(scores, self.form)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Move the parser with the model; a cast would make it another teacher."""
        here = next((p.device for p in self.parser.parameters()), torch.device('cpu'))
        self.parser.to(fn(torch.empty(0, device=here)).device)
        return super()._apply(fn, recurse)
