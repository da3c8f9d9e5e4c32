from mmkd.engine.config_types import walk


def test_every_dict_is_found_with_its_key():
    config = {'model': {'tasks': [{'a': 1}, ({'b': 2},)]}, 'x': 3}
    assert [path for path, _ in walk(config)] == [
        '',
        'model',
        'model.tasks[0]',
        'model.tasks[1][0]',
    ]
    assert dict(walk(config))['model.tasks[1][0]'] == {'b': 2}
    assert next(path for path, _ in walk(config, 'model')) == 'model'
