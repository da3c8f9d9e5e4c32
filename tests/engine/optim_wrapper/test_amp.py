import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmkd.engine.optim_wrapper import AmpOptimWrapper
from mmkd.errors import UserError
from tests.engine.toy import ToyNet, toy_runner


def model() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(8, 4)


def optimizer(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)


def batches(number: int) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(6, 8) for _ in range(number)]


def train(network: nn.Module, wrapper: OptimWrapper, number: int = 6) -> nn.Module:
    wrapper.initialize_count_status(network, 0, number)
    for x in batches(number):
        with wrapper.optim_context(network):
            loss = network(x).float().square().mean()
        wrapper.update_params(loss)
    return network


def test_on_the_cpu_it_computes_in_bf16_and_keeps_weights_in_float32():
    network = model()
    wrapper = AmpOptimWrapper(optimizer=optimizer(network))
    with wrapper.optim_context(network):
        assert network(torch.ones(1, 8)).dtype == torch.bfloat16
    assert network(torch.ones(1, 8)).dtype == torch.float32
    assert train(network, wrapper).weight.dtype == torch.float32
    assert not wrapper.loss_scaler.is_enabled()


@pytest.mark.parametrize('clip_grad', [None, {'max_norm': 0.1}])
@pytest.mark.parametrize('counts', [1, 3, 4])
def test_accumulation_and_clipping_are_those_of_mmengine(counts, clip_grad):
    class ByHand(OptimWrapper):
        def optim_context(self, network):
            return torch.autocast('cpu', torch.bfloat16)

    results = []
    for kind in (AmpOptimWrapper, ByHand):
        network = model()
        options = {'accumulative_counts': counts, 'clip_grad': clip_grad}
        given = {
            k: v and (dict(v) if k == 'clip_grad' else v) for k, v in options.items()
        }
        results.append(train(network, kind(optimizer=optimizer(network), **given)))
    ours, upstream = results
    assert torch.equal(ours.weight, upstream.weight)
    assert not torch.equal(ours.weight, model().weight)


def test_accumulating_halves_is_one_step_of_the_whole():
    whole, halves = model(), model()
    (x,) = batches(1)
    for network, parts in ((whole, [x]), (halves, x.chunk(2))):
        wrapper = AmpOptimWrapper(
            optimizer=optimizer(network), accumulative_counts=len(parts)
        )
        wrapper.initialize_count_status(network, 0, len(parts))
        for part in parts:
            with wrapper.optim_context(network):
                loss = network(part).float().square().mean()
            wrapper.update_params(loss)
    # The gradient of the weights is rounded to bf16 once, or twice and added.
    torch.testing.assert_close(whole.weight, halves.weight, rtol=0, atol=2**-8 * 0.1)
    assert (whole.weight - model().weight).abs().max() > 0.01


def test_state_goes_from_and_to_a_plain_wrapper():
    network = model()
    wrapper = AmpOptimWrapper(optimizer=optimizer(network))
    train(network, wrapper)
    other = model()
    plain = OptimWrapper(optimizer=optimizer(other))
    state = wrapper.state_dict()
    assert state.pop('loss_scaler') == {}
    plain.load_state_dict(state)
    again = AmpOptimWrapper(optimizer=optimizer(model()))
    again.load_state_dict(plain.state_dict())
    (momentum,) = {
        tuple(value['momentum_buffer'].flatten().tolist())
        for one in (wrapper, again)
        for key, value in one.optimizer.state_dict()['state'].items()
        if key == 0
    }
    assert any(momentum)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'dtype': 'float16'}, 'float16 is for GPUs only'),
        ({'dtype': 'float8'}, "optim_wrapper.dtype is 'float8'"),
    ],
)
def test_a_precision_that_does_not_run_here(options, message):
    with pytest.raises(UserError, match=message):
        AmpOptimWrapper(optimizer=optimizer(model()), **options)


@pytest.mark.parametrize(
    ('supported', 'asked', 'chosen'),
    [
        (True, None, 'bfloat16'),
        (False, None, 'float16'),
        (True, 'float16', 'float16'),
        (True, 'auto', 'bfloat16'),
        (False, 'auto', 'float16'),
    ],
)
def test_precision_on_a_gpu(supported, asked, chosen, monkeypatch):
    from mmkd.engine.optim_wrapper import _precision

    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda *_: supported)
    assert _precision(asked, 'cuda') == chosen


@pytest.mark.parametrize('has_bf16', [True, False])
def test_auto_on_a_cpu_is_what_it_has_instructions_for(has_bf16, monkeypatch):
    monkeypatch.setattr(torch.cpu, '_is_avx512_bf16_supported', lambda: has_bf16)
    monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: False)
    network = model()
    wrapper = AmpOptimWrapper(dtype='auto', optimizer=optimizer(network))
    expected = torch.bfloat16 if has_bf16 else torch.float32
    with wrapper.optim_context(network):
        assert network(torch.ones(1, 8)).dtype == expected
    plain = model()
    train(plain, OptimWrapper(optimizer=optimizer(plain)))
    same = torch.equal(train(network, wrapper).weight, plain.weight)
    assert same is not has_bf16


def test_an_old_gpu_has_no_bf16(monkeypatch):
    from mmkd.engine.optim_wrapper import _precision

    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda *_: False)
    with pytest.raises(UserError, match='does not compute in bfloat16'):
        _precision('bfloat16', 'cuda')


def test_a_runner_takes_it_by_name(tmp_path):
    dtypes = set()

    class Net(ToyNet):
        def forward(self, *args, **kwargs):
            dtypes.add(self.backbone[0](args[0] if args else kwargs['inputs']).dtype)
            return super().forward(*args, **kwargs)

    wrapper = {
        'type': 'mmkd.AmpOptimWrapper',
        'optimizer': {'type': 'SGD', 'lr': 0.1},
        'accumulative_counts': 2,
    }
    runner = toy_runner(tmp_path, model=Net(), optim_wrapper=wrapper)
    runner.train()
    assert isinstance(runner.optim_wrapper, AmpOptimWrapper)
    assert dtypes == {torch.bfloat16}
    checkpoint = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert checkpoint['optimizer']['loss_scaler'] == {}
