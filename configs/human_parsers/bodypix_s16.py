# BodyPix MobileNetV1 x0.50 at output stride 16: 24 parts, all persons, 2.3 MB.
# Weights (Apache-2.0): https://github.com/keijiro/BodyPixSentis, file
# MobileNetV1-x050-stride16.onnx; it may stand here as it is, or its convolutions
# as .npz.
parser = dict(
    type='mmkd.BodyPix',
    checkpoint='data/teachers/bodypix/weights.npz',
    output_stride=16,
)
