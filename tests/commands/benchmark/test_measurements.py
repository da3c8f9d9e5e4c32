import json

from mmkd.commands.benchmark.measurements import Measurements


def measured() -> Measurements:
    result = Measurements('step of x', {'batch': 4}, machine={'CPU cores': 2})
    result.add_times('ours', [2.0, 1.0, 4.0], clips=8)
    result.arms['ours']['MFU'] = 0.25
    result.add_times('theirs', [4.0, 1.0, 4.0], clips=8)
    result.add_ratio('a / b', [2.0, 1.0, 4.0], [4.0, 1.0, 4.0])
    result.notes.append('Busy.')
    return result


def test_values():
    content = json.loads(json.dumps(measured().as_dict()))
    ours = {'clips/s': 4.0, 'seconds': 2.0, 'fastest': 1.0, 'slowest': 4.0}
    assert content['arms']['ours'] == {**ours, 'MFU': 0.25}
    assert content['ratios'] == [{'what': 'a / b', 'value': 1, 'low': 0.5, 'high': 1}]
    assert content['work'] == {'batch': 4} and content['machine'] == {'CPU cores': 2}


def test_tables():
    assert measured().as_markdown().splitlines() == [
        '**step of x**',
        '',
        'batch 4',
        '',
        'CPU cores 2',
        '',
        '| | clips/s | seconds | fastest | slowest | MFU |',
        '|---|---:|---:|---:|---:|---:|',
        '| ours | 4 | 2 | 1 | 4 | 0.25 |',
        '| theirs | 2 | 4 | 1 | 4 |  |',
        '',
        '| ratio | median | range |',
        '|---|---:|---:|',
        '| a / b | 1 | 0.5 to 1 |',
        '',
        'Busy.',
    ]


def test_ratios_are_taken_within_a_round():
    result = Measurements('x', {})
    # A machine that slows down by ten changes no ratio.
    result.add_ratio('a / b', [1.0, 10.0, 3.0], [2.0, 20.0, 3.0])
    result.add_ratio('c / b', [1.0, 20.0, 0.75], [2.0, 20.0, 3.0])
    assert result.ratios == [('a / b', 0.5, 0.5, 1.0), ('c / b', 0.5, 0.25, 1.0)]
