import pytest
from mmengine.config import Config
from mmengine.hooks import CheckpointHook

from mmkd.datasets.transforms.windows import EvenClips
from mmkd.engine import config_types
from mmkd.engine.preflight import arguments
from mmkd.engine.preflight.arguments import check_arguments, check_sections
from mmkd.engine.signatures import accepted_arguments
from mmkd.errors import UserError


class Closed:
    def __init__(self, size, *, ratio=0.5):
        pass


class Forwards(Closed):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)


class Inherits(Forwards):
    pass


class Free(Closed):
    """Takes what it likes, though its base class does not."""

    def __init__(self, width, **kwargs):
        super().__init__(width)
        self.kwargs = kwargs


class Reads(Closed):
    def __init__(self, **kwargs):
        self.shade = kwargs.pop('shade', 1)
        super().__init__(**kwargs)


class Shares(Closed):
    """Passes them on, and to somebody else."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        print(kwargs)


class Gives(Closed):
    """Has arguments of its base class itself, so nobody else may give them."""

    def __init__(self, **kwargs):
        kwargs['size'] = 3
        super().__init__(ratio=1, **kwargs)


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
        (Free, ({'width'}, False)),
        (Shares, ({'width', 'size', 'ratio'}, False)),
        (Reads, ({'shade', 'size', 'ratio'}, True)),
        (Gives, (set(), True)),
        (function, ({'size'}, True)),
    ],
)
def test_accepted_arguments(cls, expected):
    assert accepted_arguments(cls) == expected


def test_an_argument_of_a_base_class_behind_others_is_no_slip():
    backbone = {'type': 'ResNet3dSlowOnly', 'depth': 50, 'conv1_stride_s': 1}
    check_arguments(Config({'model': {'backbone': backbone}}))
    with pytest.raises(UserError, match='Did you mean conv1_stride_s'):
        backbone['conv1_strid_s'] = backbone.pop('conv1_stride_s')
        check_arguments(Config({'model': {'backbone': backbone}}))


def config(**model) -> Config:
    hook = {'type': 'mmkd.LoadReportHook', 'strict': True}
    stock = {'backbone': {'type': 'ResNet3d', 'depth': 18}}
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
            "has no argument 'zzz'. It takes: allow_missing, allow_unused, strict.",
        ),
        (
            {'type': 'mmkd.R3D', 'dept': 18},
            "mmkd.R3D has no argument 'dept'. Did you mean depth?",
        ),
        (
            {'type': 'I3DHead', 'num_class': 2},
            "model.x: I3DHead has no argument 'num_class'. Did you mean num_classes",
        ),
        (
            {'type': 'mmkd.MyOwnMethod'},
            "there is no type 'mmkd.MyOwnMethod'. Is the module that registers it in "
            'custom_imports?',
        ),
        (
            {'type': 'mmkd.LoadReprotHook'},
            "model.x: there is no type 'mmkd.LoadReprotHook'. "
            'Did you mean mmkd.LoadReportHook',
        ),
    ],
)
def test_a_slip_is_named_with_its_key_and_the_nearest_name(node, message):
    with pytest.raises(UserError) as caught:
        check_arguments(config(x=node))
    assert message in str(caught.value)


def test_nested_lists_are_searched():
    transforms = [{'type': 'mmkd.LoadReportHook', 'strikt': 1}]
    with pytest.raises(UserError, match=r'model\.pipeline\[0\]\.inner\[0\]: mmkd'):
        check_arguments(config(pipeline=[{'type': 'A', 'inner': transforms}]))


def test_an_open_signature_only_objects_to_an_evident_slip(monkeypatch):
    found = (Open, None)
    monkeypatch.setattr(config_types, 'find_class', lambda *_: found)
    monkeypatch.setattr(arguments, 'find_class', lambda *_: found)
    check_arguments(config(x={'type': 'mmkd.Open', 'anything': 1}))
    with pytest.raises(UserError, match='Did you mean width'):
        check_arguments(config(x={'type': 'mmkd.Open', 'widht': 1}))


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (
            {'custom_hooks': [{'type': 'EMAHok'}]},
            "'EMAHok'. Did you mean EMAHook",
        ),
        ({'param_scheduler': {'type': 'StepLR', 'step': 1}}, "no argument 'step'"),
        ({'optim_wrapper': {'optimizer': {'type': 'SGD', 'rate': 1}}}, "'rate'"),
        ({'train_dataloader': {'batch_sise': 1}}, 'Did you mean batch_size'),
        ({'train_cfg': {'type': 'EpochBasedTrainLoop', 'epochs': 1}}, "'epochs'"),
        ({'test_evaluator': [{'type': 'AccMetric', 'metrics': 1}]}, "'metrics'"),
        ({'randomness': {'sed': 1}}, "randomness has no argument 'sed'"),
    ],
)
def test_stock_types_are_checked_where_a_run_builds_them(values, message):
    with pytest.raises(UserError, match=message):
        check_arguments(Config(values))


def test_variables_and_private_types_are_left_alone():
    pathway = {'type': 'resnet3d', 'depth': 18}
    backbone = {'type': 'ResNet3dSlowFast', 'slow_pathway': pathway}
    wrapper = {'constructor': 'Own', 'paramwise_cfg': {'any': 1}, 'groups': 3}
    check_arguments(
        Config(
            {
                'mine': {'type': 'Recognizer3D', 'anything': 1},
                'model': {'type': 'Recognizer3D', 'backbone': backbone},
                'optim_wrapper': wrapper,
                'default_hooks': {'own': {'type': 'EMAHook'}, 'timer': None},
            }
        )
    )


@pytest.mark.parametrize(
    ('part', 'kind'),
    [
        ('optim_wrapper', 'OptimWrapper'),
        ('train_dataloader', 'Resize'),
        ('custom_hooks', 'EMAHook'),
    ],
)
def test_a_type_of_others_is_no_type_of_mmkd(part, kind):
    """MMEngine would take its own, or mmcv's, without a word."""
    node = {'type': f'mmkd.{kind}'}
    cfg = Config({part: [node] if part == 'custom_hooks' else node})
    with pytest.raises(UserError, match=rf"no type 'mmkd\.{kind}'") as caught:
        check_arguments(cfg)
    assert caught.value.remedy.startswith(f'{kind} is not of mmkd: write {kind!r}')


def test_a_text_instead_of_a_number_is_told_what_is_taken():
    node = {'type': 'mmkd.ClipPreprocessor', 'convention': 'rgb01', 'insist': 'yes'}
    with pytest.raises(UserError, match=r"insist is 'yes'\. Give True or False\."):
        check_arguments(Config({'model': {'data_preprocessor': node}}))


@pytest.mark.parametrize('value', [2.5, 16.0, '16'])
@pytest.mark.parametrize(
    'option', ['EvenClips.clip_len', 'ClipOrderViews.gap', 'PaceViews.num_views']
)
def test_no_whole_number_where_one_is_needed(option, value):
    kind, name = option.split('.')
    loader = {'dataset': {'pipeline': [{'type': f'mmkd.{kind}', name: 3}]}}
    cfg = Config({'test_dataloader': loader})
    check_arguments(cfg)
    cfg.test_dataloader.dataset.pipeline[0][name] = value
    with pytest.raises(UserError, match=f'{name} is .*Give a whole number'):
        check_arguments(cfg)


def test_a_sampler_never_chooses_between_frames():
    with pytest.raises(UserError, match='Give whole numbers'):
        EvenClips(clip_len=2.5)
    with pytest.raises(UserError, match='Give whole numbers'):
        EvenClips(frame_interval=2.5)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'default_hooks': {'logger': 'often'}}, r"default_hooks\.logger is 'often'"),
        ({'default_hooks': {'logger': 3}}, r'default_hooks\.logger is 3, not a hook'),
        (
            {'custom_hooks': 'mmkd.GateHook'},
            "custom_hooks is 'mmkd.GateHook', not a",
        ),
        (
            {'custom_hooks': [{}, 'mmkd.GateHook']},
            r"custom_hooks\.1 is 'mmkd\.GateHook'",
        ),
    ],
)
def test_a_hook_that_is_text_is_one_line(values, message):
    with pytest.raises(
        UserError, match=rf'^--cfg-options: {message}.*Give dict\(type='
    ):
        check_sections(values, '--cfg-options')


def test_hooks_may_be_left_out_or_built_already():
    check_sections({'default_hooks': {'logger': None}, 'custom_hooks': None}, 'a.py')
    check_sections({'custom_hooks': [CheckpointHook(), {'type': 'x'}]}, 'a.py')
