import copy

import pytest
import torch
from torch import nn

from mmkd.errors import UserError
from mmkd.models.recorder import Recorder


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        self.unused = nn.Linear(2, 2)
        self.pyramid = Pyramid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.encoder(x)
        self.pyramid(x)
        return self.encoder(x + 1)


class Pyramid(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return x, x * 2


def test_every_run_of_a_module_is_kept_in_order() -> None:
    net, x = Net(), torch.randn(4, 2)
    recorder = Recorder(net, ['encoder.0', 'pyramid[1]', 'pyramid[-2]'])
    net(x + 5)
    with recorder:
        net(x)
    net(x + 5)
    found = recorder.take()
    expected = torch.cat([net.encoder[0](x), net.encoder[0](x + 1)])
    assert torch.equal(found['encoder.0'], expected)
    assert torch.equal(found['pyramid[1]'], x * 2)
    assert torch.equal(found['pyramid[-2]'], x)


def test_gradient_flows_through_what_was_recorded() -> None:
    net = Net()
    recorder = Recorder(net, ['encoder.0'])
    with recorder:
        net(torch.ones(1, 2))
    recorder.take()['encoder.0'].sum().backward()
    assert net.encoder[0].bias.grad.tolist() == [2, 2, 2]


def test_what_a_module_is_given_is_recorded_as_well() -> None:
    net, x = Net(), torch.randn(4, 2)
    recorder = Recorder(net, ['encoder.1:input', 'encoder.0'])
    with recorder:
        net(x)
    found = recorder.take()
    expected = torch.cat([net.encoder[0](x), net.encoder[0](x + 1)])
    assert torch.equal(found['encoder.1:input'], expected)
    assert found['encoder.1:input'].requires_grad
    recorder.remove()
    with recorder:
        net(x)
    with pytest.raises(UserError, match=r"'encoder.1:input' of the network exists"):
        recorder.take()
    with pytest.raises(UserError, match='no path'):
        Recorder(net, ['encoder:output'])


def test_a_removed_recorder_and_that_of_a_copy_leave_the_network_alone() -> None:
    net = Net()
    recorder = Recorder(net, ['encoder'])
    pair = copy.deepcopy((net, recorder))
    recorder.remove()
    with recorder, pair[1]:
        net(torch.ones(1, 2))
    with pytest.raises(UserError, match='did not run'):
        recorder.take()
    with pytest.raises(UserError, match='did not run'):
        pair[1].take()
    with pair[1]:
        pair[0](torch.ones(1, 2))
    assert pair[1].take()['encoder'].shape == (2, 3)


@pytest.mark.parametrize(
    ('path', 'message'),
    [
        ('encodr', r"no module 'encodr'; it has: encoder, unused, pyramid. Did you "),
        ('encoder.2', r"no module 'encoder.2'; encoder has: 0, 1"),
        ('encoder.0.x', r'encoder.0 has: nothing'),
        ('encoder]', r'no path of a module'),
    ],
)
def test_a_wrong_path_lists_what_is_there(path: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Recorder(Net(), [path], 'student')


@pytest.mark.parametrize(
    ('path', 'message'),
    [
        ('unused', r"'unused' of the student exists, but did not run"),
        ('pyramid', r"returns 2 things. Write 'pyramid' with a number"),
        ('pyramid[2]', r'returns 2 things'),
        ('encoder[0]', r"returns one Tensor. Write 'encoder'\."),
    ],
)
def test_what_a_module_returns_is_checked(path: str, message: str) -> None:
    net = Net()
    recorder = Recorder(net, [path], 'student')
    with pytest.raises(UserError, match=message):
        with recorder:
            net(torch.ones(1, 2))
        recorder.take()
