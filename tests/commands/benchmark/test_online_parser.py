"""The cost of a human parser that runs in every step."""

import pytest
import torch

from mmkd.commands.benchmark.command_line import main
from mmkd.commands.benchmark.measurements import Measurements, Plan
from mmkd.commands.benchmark.teacher import ONLINE, add_online_parser
from mmkd.errors import UserError
from mmkd.models.human_parsers import BodyPix, LabelMapParser
from tests.commands.benchmark.tiny import auxskd

PLAN = Plan(batch_size=2, ways=['fp32'], rounds=2, steps=1, rendered=True)


def test_it_sees_every_frame_of_the_first_view():
    seen = []

    class Counting(BodyPix):
        def forward(self, frames):
            seen.append(frames)
            return super().forward(frames)

    measured = Measurements('test', {})
    add_online_parser(measured, auxskd(), PLAN, Counting('random'))
    # One call warms up, then there are two rounds.
    assert [tuple(x.shape) for x in seen] == 3 * [(2 * 8, 3, 16, 16)]
    assert all(x.dtype is torch.uint8 for x in seen)
    (ratio,) = measured.ratios
    assert ONLINE in ratio.what and 0 < ratio.low <= ratio.value <= ratio.high
    assert list(measured.arms) == [ONLINE]


def test_a_parser_that_goes_by_names_cannot_run(tmp_path):
    with pytest.raises(UserError, match='LabelMapParser goes by the name'):
        add_online_parser(
            Measurements('test', {}), auxskd(), PLAN, LabelMapParser(str(tmp_path))
        )


def test_the_command_line(tmp_path, capsys):
    config, parser = tmp_path / 'tiny.py', tmp_path / 'parser.py'
    auxskd().dump(str(config))
    parser.write_text("parser = dict(type='mmkd.BodyPix', checkpoint='random')\n")
    options = ['--rendered', '--batch-size', '2', '--rounds', '1', '--steps', '1']
    main(['teacher', str(config), *options, '--online', str(parser)])
    assert f'| {ONLINE} |' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(['teacher', str(config), *options, '--online', str(tmp_path / 'no.py')])
    assert 'no.py does not exist' in capsys.readouterr().err
