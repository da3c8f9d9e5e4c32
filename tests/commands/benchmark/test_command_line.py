import json

import pytest

from mmkd.commands.benchmark.command_line import main
from tests.commands.benchmark.tiny import auxskd


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    auxskd().dump(str(path))
    return str(path)


def test_step_prints_tables_and_writes_results(config, tmp_path, capsys):
    report = tmp_path / 'results.json'
    options = ['--rendered', '--batch-size', '2', '--rounds', '2', '--steps', '1']
    ways = ['--ways', 'fp32', 'bf16+cl', '--peak', '0.5']
    main(['step', config, *options, *ways, '--json', str(report)])
    shown = capsys.readouterr().out
    content = json.loads(report.read_text())
    names = ['fp32', 'fp32, by hand', 'bf16+cl', 'bf16+cl, by hand']
    assert list(content['arms']) == names
    assert [ratio['what'] for ratio in content['ratios']] == [
        'fp32: time of the step / of the hand-written loop',
        'bf16+cl: time of the step / of the hand-written loop',
        'speed of bf16+cl / of fp32',
    ]
    for name in names:
        arm = content['arms'][name]
        assert f'| {name} | {arm["clips/s"]:.3g} |' in shown
        assert arm['fastest'] <= arm['seconds'] <= arm['slowest']
    rate = content['arms']['fp32']['TFLOP/s']
    # Forward and backward of the student, forward of the teacher, counted as one shape.
    assert content['arms']['fp32']['MFU'] == pytest.approx(rate / 0.5)
    assert content['work']['views'] == 2 and content['work']['input'] == 'rendered'


def test_waiting_for_the_loader(config, tmp_path, capsys):
    from mmkd.commands.benchmark.batches import rendered_clips
    from mmkd.commands.benchmark.measurements import Plan
    from mmkd.commands.benchmark.step import measure_wait

    with rendered_clips(auxskd(), 8) as cfg:
        cfg.train_dataloader.num_workers = 0
        cfg.train_dataloader.persistent_workers = False
        plan = Plan(batch_size=2, ways=['fp32'])
        measured = measure_wait(cfg, plan, batches=3)
    # Without workers, every sample is waited for.
    assert 0 < measured['data wait'] < 1
    assert measured['clips/s'] == pytest.approx(4 / measured['seconds'])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['step', 'none.py'], 'config none.py does not exist'),
        (['step', '{}', '--rounds', '0'], '--rounds 0. Give 1 or more.'),
        (['loader', '{}', '--clock', 'cpu'], 'sees no worker. Give --workers 0'),
        (
            ['loader', '{}', '--rendered', '--originals', 'a', 'b'],
            '--originals with --rendered. Give one of them.',
        ),
        (['loader', '{}', '--samples', '0'], '--samples 0. Give 1 or more.'),
        (['step', '{}', '--rendered', '--ways', 'int8'], "'int8' is no way to"),
        (['loader', '{}'], 'data/ucf101/train_split1.txt'),
    ],
)
def test_mistakes_end_in_one_line(options, message, config, capsys):
    with pytest.raises(SystemExit) as left:
        main([option.format(config) for option in options])
    error = capsys.readouterr().err
    assert left.value.code == 2
    assert error.startswith('error: ') and message in error and error.count('\n') == 1
