"""Fixtures of the guardian's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.guardian.bench_parts import Bench


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Return what starts a guardian on one and the same folder, as often as asked."""
    benches: list[Bench] = []

    def make(**options: Any) -> Bench:  # noqa: ANN401 - the options are Bench's own
        benches.append(Bench(tmp_path, **options))
        return benches[-1]

    yield make
    for bench in benches:
        bench.pins.close()
        bench.audit.close()


@pytest.fixture
def bench(start: Callable[..., Bench]) -> Bench:
    """Return a guardian whose trader is alive and permitted."""
    bench = start()
    bench.run(100)
    assert bench.permits()
    return bench
