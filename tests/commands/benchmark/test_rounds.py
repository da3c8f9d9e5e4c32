import pytest

from mmkd.commands.benchmark import measurements
from mmkd.commands.benchmark.measurements import interleave


def test_arms_take_turns_and_the_warm_up_does_not_count():
    calls = []

    def arm(name: str, base: float):
        def measure() -> float:
            calls.append(name)
            return base + len(calls)

        return measure

    result = interleave({'a': arm('a', 0), 'b': arm('b', 100)}, rounds=3)
    assert calls == ['a', 'b'] * 4
    assert result == {'a': [3, 5, 7], 'b': [104, 106, 108]}


@pytest.mark.parametrize(('limit', 'counted'), [(0.5, 1), (1.5, 2), (99, 5)])
def test_no_round_begins_after_the_limit(limit, counted, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(measurements, 'monotonic', lambda: next(clock))
    result = interleave({'a': lambda: 1.0}, rounds=5, limit=limit)
    assert len(result['a']) == counted
