import torch

from mmkd.zoo.base_networks import (
    build_backbone,
    markdown_table,
    measure,
    network_names,
)
from tests.shared_files import ROOT


def slow_multiply_adds(name, clip):
    """Count by hand: outputs times the weights that each of them takes."""
    backbone, total = build_backbone(name).eval(), 0

    def count(module, _, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    for module in backbone.modules():
        if isinstance(module, (torch.nn.Conv3d, torch.nn.Linear)):
            module.register_forward_hook(count)
    backbone(torch.zeros(1, 3, *clip))
    return total


def test_multiply_adds():
    for name in ('c3d_tiny', 'r2plus1d_tiny', 's3dg_tiny'):
        size = measure(name, (8, 32, 48))
        assert size.multiply_adds == slow_multiply_adds(name, (8, 32, 48))


def test_multiply_adds_of_the_clip_order_r3d_by_hand():
    stem = 16 * 56 * 56 * 64 * 3 * 3 * 7 * 7
    first = 16 * 56 * 56 * 64 * (64 + 64) * 27
    others = sum(
        frames * side * side * width * ((width // 2 + width) * 27 + width // 2)
        for frames, side, width in ((8, 28, 128), (4, 14, 256), (2, 7, 512))
    )
    assert measure('r3d').multiply_adds == stem + first + others


def test_the_page_shows_the_table_of_the_command():
    page = (ROOT / 'docs/networks.md').read_text()
    table = page.split('<!-- table -->\n')[1].split('\n<!-- end')[0]
    assert table == markdown_table([measure(name) for name in network_names()])
