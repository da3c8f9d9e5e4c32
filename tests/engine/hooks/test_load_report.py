import pytest
import torch

from mmkd.engine.hooks import LoadReportHook
from mmkd.errors import UserError
from tests.engine.toy import ToyNet, toy_runner


def save(path, **changes):
    torch.manual_seed(7)
    state = {**ToyNet().state_dict(), **changes}
    state = {key: value for key, value in state.items() if value is not None}
    torch.save({'state_dict': state, 'meta': {}}, path)
    return state


def loading_runner(folder, hook=None, **options):
    return toy_runner(
        folder,
        custom_hooks=[hook or LoadReportHook()],
        load_from=str(folder / 'in.pth'),
        log_level='INFO',
        **options,
    )


def test_one_line_instead_of_upstreams_listing(tmp_path, capsys):
    other = torch.ones(1)
    state = save(tmp_path / 'in.pth', **{'cls_head.bias': None, 'neck.w': other})
    runner = loading_runner(tmp_path)
    capsys.readouterr()
    runner.load_or_resume()
    shown = capsys.readouterr().out
    report = (
        '8 tensors loaded; not in the checkpoint: cls_head.* (1); not used: neck.* (1)'
    )
    assert shown.count(report) == 1
    assert 'do not match exactly' not in shown and 'cls_head.bias' not in shown
    loaded = runner.model.state_dict()
    assert torch.equal(loaded['backbone.0.weight'], state['backbone.0.weight'])


def test_upstreams_listing_is_what_the_hook_replaces(tmp_path, capsys):
    save(tmp_path / 'in.pth', **{'cls_head.bias': None})
    runner = toy_runner(tmp_path, load_from=str(tmp_path / 'in.pth'))
    runner.load_or_resume()
    assert 'do not match exactly' in capsys.readouterr().out


@pytest.mark.parametrize('how', ['resume', 'strict'])
def test_resume_and_test_demand_every_key(tmp_path, how):
    save(tmp_path / 'in.pth', **{'cls_head.bias': None})
    hook = LoadReportHook(strict=how == 'strict')
    runner = loading_runner(tmp_path, hook, resume=how == 'resume')
    with pytest.raises(UserError, match=r'in\.pth is not of this very model.*cls_head'):
        runner.load_or_resume()


def test_nothing_loaded_is_an_error(tmp_path):
    torch.save({'state_dict': {'x': torch.ones(1)}}, tmp_path / 'in.pth')
    with pytest.raises(UserError, match=r'in\.pth: nothing in it fits this model'):
        loading_runner(tmp_path).load_or_resume()


def test_a_backbone_of_another_shape_is_an_error(tmp_path):
    save(tmp_path / 'in.pth', **{'backbone.0.weight': torch.ones(8, 3)})
    with pytest.raises(UserError, match=r'backbone\.0\.weight \(8, 3\) for \(4, 3\)'):
        loading_runner(tmp_path).load_or_resume()


def test_what_other_hooks_rewrote_is_what_counts(tmp_path):
    from mmengine.hooks import Hook

    class Rename(Hook):
        def after_load_checkpoint(self, runner, checkpoint):
            old = checkpoint['state_dict']
            new = {k.removeprefix('enc.'): v for k, v in old.items()}
            checkpoint['state_dict'] = new

    state = {f'enc.{k}': v for k, v in ToyNet().state_dict().items()}
    torch.save({'state_dict': state}, tmp_path / 'in.pth')
    runner = loading_runner(tmp_path)
    runner.register_hook(Rename())
    runner.load_or_resume()
    loaded = runner.model.state_dict()
    assert torch.equal(loaded['cls_head.weight'], state['enc.cls_head.weight'])
