# BodyPix MobileNetV1 x0.50 at output stride 8: finer, about twice the cost.
# Weights (Apache-2.0): https://github.com/keijiro/BodyPixSentis, the same file.
parser = dict(
    type='mmkd.BodyPix',
    checkpoint='data/teachers/bodypix/weights.npz',
    output_stride=8,
)
