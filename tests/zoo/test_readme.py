from typing import Any

from mmkd.transfer.model_index import ZooModel
from mmkd.zoo.tables import (
    is_main,
    markdown_table,
    metric_lines,
    results_table,
)


def result(**changes: Any) -> dict[str, Any]:
    listed = {'Path': 'data/x/test.txt', 'SHA256': '0123456789'}
    kept = {'Dataset': 'x', 'Preset': 'ours', 'Seed': 0, 'Test List': listed}
    return {**kept, **changes}


def model(*results: dict[str, Any], **metadata: str) -> ZooModel:
    entry = {'Results': list(results), 'Metadata': metadata}
    return ZooModel('name', 'Method', 'configs/a/b.py', entry)


def test_main_metrics_of_one_way_stand_together() -> None:
    retrieval = {'R@1': 0.125, 'R@5': 0.5, 'R@10': 0.75}
    found = metric_lines(
        model(
            result(Metrics={'kNN@20/top1': 0.25, 'kNN@20/mean_class': 0.2}),
            result(Metrics=retrieval),
            result(Metrics={'kNN@20 plain/top1': 0.1}),
            result(Metrics={'R@1 max': 0.1}),
            result(
                Metrics={'linear/top1': 1 / 3},
                Split=2,
                Options={'Cfg Options': ['model.x=1', 'clips=1']},
            ),
        )
    )
    assert found == [
        'kNN@20 25.00, R@1 12.50, R@5 50.00 (x 01234567, preset ours, seed 0)',
        'linear 33.33 (x 01234567, preset ours, split 2, seed 0, clips=1)',
    ]


def test_a_metric_of_the_whole_model() -> None:
    tested = {'Dataset': 'x', 'Test List': {'SHA256': 'ab'}, 'Metrics': {'acc/top1': 1}}
    assert metric_lines(model(tested)) == ['top-1 100.00 (x ab)']
    assert not is_main('acc/mean1') and is_main('finetune/top1')


def test_the_table_of_results() -> None:
    found = model(
        result(Metrics={'kNN@20/top1': 0.25, 'linear/top1': 0.5}),
        result(Metrics={'R@1': 0.125, 'R@5': 0.5}),
        {'Dataset': 'y', 'Metrics': {'acc/top1': 1}},
        Epochs='3',
    )
    how = 'x 01234567, preset ours, seed 0'
    assert results_table([found]).splitlines()[2:] == [
        f'| `name` | epochs 3 | 50.00 | 25.00 | 12.50 | 50.00 |  |  | {how} |',
        '| `name` | epochs 3 |  |  |  |  |  | 100.00 | y |',
    ]


def test_how_it_was_trained() -> None:
    lines = [
        markdown_table([model(**said)]).splitlines()[-1].split(' | ')[3]
        for said in ({'Epochs': '3'}, {'Epochs': '3', 'Note': 'from x'}, {})
    ]
    assert lines == ['epochs 3', 'epochs 3; from x', '']
