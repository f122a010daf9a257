"""One server of fresh processes for all tests here."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from xlt_bench.conformance import FreshProcess


@pytest.fixture(scope="session")
def fresh() -> Iterator[FreshProcess]:
    """Also freezes what is alive already, which makes counting live objects quick."""
    server = FreshProcess()
    server.start()
    gc.collect()
    gc.freeze()
    yield server
    gc.unfreeze()
    server.close()
