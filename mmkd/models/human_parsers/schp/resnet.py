"""The ResNet-101 trunk of SCHP: three convolutions first, output stride 16."""

from collections import OrderedDict

from torch import Tensor, nn

from mmkd.models.human_parsers.schp.norm import AbsoluteScaleNorm

EXPANSION = 4


class Bottleneck(nn.Module):
    """Residual block 1x1, 3x3, 1x1; the 3x3 convolution carries the stride.

    Source: https://arxiv.org/abs/1512.03385.

    Args:
        inputs: Channels of the input.
        width: Channels of the 3x3 convolution; the output has four times as many.
        stride: Stride. Defaults to 1.
        dilation: Dilation of the 3x3 convolution. Defaults to 1.
        project: Whether the shortcut is a 1x1 convolution. Defaults to False.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        dilation: int = 1,
        project: bool = False,
    ) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = AbsoluteScaleNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = AbsoluteScaleNorm(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = AbsoluteScaleNorm(outputs)
        self.relu = nn.ReLU()
        self.downsample: nn.Sequential | None = None
        if project:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, AbsoluteScaleNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, 4 width, H / stride, W / stride)``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


def residual_stage(
    inputs: int, width: int, blocks: int, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Return a stage; its first block carries the stride and projects."""
    first = Bottleneck(inputs, width, stride, dilation, project=True)
    rest = [
        Bottleneck(width * EXPANSION, width, dilation=dilation)
        for _ in range(blocks - 1)
    ]
    return nn.Sequential(first, *rest)


def stem() -> OrderedDict[str, nn.Module]:
    """Return the layers up to stride 4, named as in the official checkpoints."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = (3, 64, 64, 128)
    for number in (1, 2, 3):
        inputs, outputs = channels[number - 1 : number + 1]
        stride = 2 if number == 1 else 1
        conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        layers[f'conv{number}'] = conv
        layers[f'bn{number}'] = AbsoluteScaleNorm(outputs)
        layers[f'relu{number}'] = nn.ReLU()
    layers['maxpool'] = nn.MaxPool2d(3, stride=2, padding=1)
    return layers
