import torch

from mmkd.engine.hooks import InputConventionHook
from mmkd.models.input_convention import get_convention
from tests.engine.toy import ToyNet, toy_runner


def runner_with(folder, name, **options):
    model = ToyNet()
    if name:
        model.data_preprocessor.convention = get_convention(name)
    return toy_runner(
        folder, model=model, custom_hooks=[InputConventionHook()], **options
    )


def saved(folder, name):
    runner_with(folder, name, epochs=1).train()
    return folder / 'epoch_1.pth'


def test_the_convention_is_in_the_meta_as_plain_data(tmp_path):
    checkpoint = torch.load(saved(tmp_path, 'imagenet'), weights_only=True)
    assert checkpoint['meta']['input_convention'] == {
        'name': 'imagenet',
        'channel_order': 'RGB',
        'value_range': 1,
        'mean': [0.485, 0.456, 0.406],
        'std': [0.229, 0.224, 0.225],
    }


def test_another_convention_gets_one_warning_with_both_names(tmp_path, capsys):
    path = str(saved(tmp_path, 'bgr255'))
    runner = runner_with(tmp_path, 'rgb01', load_from=path)
    capsys.readouterr()
    runner.load_or_resume()
    lines = [x for x in capsys.readouterr().out.splitlines() if 'input convention' in x]
    assert len(lines) == 1 and 'WARNING' in lines[0]
    assert lines[0].index('bgr255') < lines[0].index('rgb01')


def test_silence_where_there_is_nothing_to_say(tmp_path, capsys):
    path = str(saved(tmp_path, 'bgr255'))
    for name, options in (
        ('bgr255', {}),  # the same
        (None, {}),  # the model has none
        ('rgb01', {'resume': True}),  # not a load
    ):
        runner = runner_with(tmp_path, name, load_from=path, **options)
        if options:
            runner._train_loop = runner.build_train_loop(runner._train_loop)
            runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner.load_or_resume()
    plain = saved(tmp_path / 'plain', None)
    assert 'input_convention' not in torch.load(plain, weights_only=True)['meta']
    runner_with(tmp_path, 'rgb01', load_from=str(plain)).load_or_resume()
    assert 'input convention' not in capsys.readouterr().out
