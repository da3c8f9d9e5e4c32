"""What a human parser costs that runs in every step, beside the step itself."""

import torch
from mmengine.config import Config
from mmengine.device import get_device

from mmkd.benchmark.batches import first_batch
from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.rounds import CLOCKS, interleave
from mmkd.benchmark.step import StepPlan
from mmkd.benchmark.training import Step, build_model, timed, training_step
from mmkd.benchmark.variants import Variant
from mmkd.models.human_parsers import HumanParser

NAME = 'the parser, online'


def add_online_parser(
    figures: Figures, cfg: Config, plan: StepPlan, parser: HumanParser
) -> None:
    """Time a parser on the first view of a batch, in turns with a step of a config.

    Args:
        figures: Where to add the figures.
        cfg: Config of a method, for instance with cached maps.
        plan: How; the first variant is used. The parser keeps its precision.
        parser: The parser.

    Raises:
        UserError: If the parser goes by the name of the video, not by its frames.
    """
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    variant = Variant.parse(plan.variants[0])
    step = training_step(cfg, build_model(cfg, plan.batch_size), batch, variant)
    clock = CLOCKS[plan.clock]
    parse = _parsing(parser, batch['inputs'])
    arms = {'step': timed(step, plan.steps, clock), NAME: timed(parse, 1, clock)}
    seconds = interleave(arms, plan.rounds, plan.limit)
    figures.add_times(NAME, seconds[NAME], len(batch['inputs']))
    what = f'{variant.name}: time of {NAME} / of the step without it'
    figures.ratios.append(Ratio.between(what, seconds[NAME], seconds['step']))


def _parsing(parser: HumanParser, inputs: list[torch.Tensor]) -> Step:
    """Return what parses the first view ``(3, T, H, W)`` of each sample."""
    frames = torch.cat([sample[0].transpose(0, 1) for sample in inputs])
    frames = frames.to(get_device())
    return lambda: parser(frames)
