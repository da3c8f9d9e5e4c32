import pytest
from mmengine.config import Config

from mmkd.engine.preflight.arguments import accepted_arguments, check_arguments
from mmkd.errors import UserError


class Closed:
    def __init__(self, size, *, ratio=0.5):
        pass


class Forwards(Closed):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)


class Inherits(Forwards):
    pass


class Open:
    def __init__(self, width, **kwargs):
        pass


def function(size, *rest):
    pass


@pytest.mark.parametrize(
    ('cls', 'expected'),
    [
        (Closed, ({'size', 'ratio'}, True)),
        (Forwards, ({'width', 'size', 'ratio'}, True)),
        (Inherits, ({'width', 'size', 'ratio'}, True)),
        (Open, ({'width'}, False)),
        (function, ({'size'}, True)),
    ],
)
def test_accepted_arguments(cls, expected):
    assert accepted_arguments(cls) == expected


def config(**model) -> Config:
    hook = {'type': 'mmkd.LoadReportHook', 'strict': True}
    stock = {'type': 'Recognizer3D', 'not_ours': 1}
    return Config({'model': {**stock, **model}, 'custom_hooks': [hook]})


def test_what_is_right_passes():
    preprocessor = {'type': 'mmkd.ClipPreprocessor', 'convention': 'bgr255'}
    check_arguments(config(data_preprocessor=preprocessor))


@pytest.mark.parametrize(
    ('node', 'message'),
    [
        (
            {'type': 'mmkd.LoadReportHook', 'strikt': True},
            "model.x: mmkd.LoadReportHook has no argument 'strikt'. "
            'Did you mean strict?',
        ),
        (
            {'type': 'mmkd.LoadReportHook', 'zzz': True},
            "has no argument 'zzz'. It takes: strict.",
        ),
        (
            {'type': 'mmkd.R3D', 'dept': 18},
            "mmkd.R3D has no argument 'dept'. Did you mean depth?",
        ),
        (
            {'type': 'mmkd.LoadReprotHook'},
            "model.x: there is no type 'mmkd.LoadReprotHook'. "
            'Did you mean mmkd.LoadReportHook',
        ),
    ],
)
def test_a_slip_is_named_with_its_place_and_the_nearest_name(node, message):
    with pytest.raises(UserError) as caught:
        check_arguments(config(x=node))
    assert message in str(caught.value)


def test_nested_lists_are_searched():
    transforms = [{'type': 'mmkd.LoadReportHook', 'strikt': 1}]
    with pytest.raises(UserError, match=r'model\.pipeline\[0\]\.inner\[0\]: mmkd'):
        check_arguments(config(pipeline=[{'type': 'A', 'inner': transforms}]))


def test_an_open_signature_only_objects_to_an_evident_slip(monkeypatch):
    monkeypatch.setattr('mmkd.engine.preflight.arguments._find', lambda name: Open)
    check_arguments(config(x={'type': 'mmkd.Open', 'anything': 1}))
    with pytest.raises(UserError, match='Did you mean width'):
        check_arguments(config(x={'type': 'mmkd.Open', 'widht': 1}))
