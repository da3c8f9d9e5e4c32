import torch
from torch.nn import functional

from mmkd.models.backbones.s3dg import Inception, SelfGating


def test_gate_scales_each_channel_by_the_means_of_all():
    gate = SelfGating(2)
    gate.load_state_dict(
        {'fc.weight': torch.tensor([[0.0, 1.0], [2.0, 0.0]]), 'fc.bias': torch.zeros(2)}
    )
    x = torch.arange(8.0).reshape(1, 2, 1, 2, 2)  # channel means 1.5 and 5.5
    expected = x.clone()
    expected[:, 0] *= torch.tensor(5.5).sigmoid()
    expected[:, 1] *= torch.tensor(3.0).sigmoid()
    torch.testing.assert_close(gate(x), expected)


def test_branches_in_a_slow_twin():
    torch.manual_seed(0)
    block = Inception(4, (2, 3, 5, 2, 3, 2), gated_branches=(1,)).eval()
    x = torch.rand(1, 4, 3, 5, 5)

    def layer(name, y, padding=0):
        part = block.get_submodule(name)
        return part.bn(functional.conv3d(y, part.conv.weight, padding=padding)).relu()

    def separable(number):
        y = layer(f'branch{number}.reduce', x)
        y = layer(f'branch{number}.spatial', y, (0, 1, 1))
        return layer(f'branch{number}.temporal', y, (1, 0, 0))

    second = separable(1)
    gate = block.branch1.gate.fc(second.mean((2, 3, 4))).sigmoid()
    expected = torch.cat(
        [
            layer('branch0.conv', x),
            second * gate.reshape(1, 5, 1, 1, 1),
            separable(2),
            layer('branch3.conv', functional.max_pool3d(x, 3, 1, 1)),
        ],
        dim=1,
    )
    assert block.out_channels == 12
    torch.testing.assert_close(block(x), expected)
