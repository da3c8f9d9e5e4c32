from mmkd.zoo.convert.renaming import VCOP_C3D, VCOP_RESNET, renamer


def test_vcop_c3d():
    rename = renamer(VCOP_C3D)
    assert rename('conv1.weight') == 'conv1a.conv.weight'
    assert rename('bn2.running_var') == 'conv2a.bn.running_var'
    assert rename('conv5b.bias') == 'conv5b.conv.bias'
    assert rename('bn3a.weight') == 'conv3a.bn.weight'


def test_vcop_resnet():
    names = {
        'conv1.spatial_conv.weight': 'conv1.conv.conv_s.weight',
        'conv1.bn.bias': 'conv1.conv.bn_s.bias',
        'bn1.weight': 'conv1.bn.weight',
        'conv2.block1.conv2.temporal_conv.weight': 'layer1.0.conv2.conv.conv_t.weight',
        'conv2.block1.conv2.bn.weight': 'layer1.0.conv2.conv.bn_s.weight',
        'conv5.block1.bn2.weight': 'layer4.0.conv2.bn.weight',
        'conv3.block1.downsampleconv.temporal_spatial_conv.weight': (
            'layer2.0.downsample.conv.weight'
        ),
        'conv3.block1.downsampleconv.bn.weight': 'layer2.0.downsample.conv.bn_s.weight',
        'conv3.block1.downsamplebn.weight': 'layer2.0.downsample.bn.weight',
    }
    rename = renamer(VCOP_RESNET)
    assert {name: rename(name) for name in names} == names
