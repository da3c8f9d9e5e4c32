"""Export a trained network: bare weights, TorchScript or ONNX."""

from mmkd.commands.networks import export_main as main

if __name__ == '__main__':
    main()
