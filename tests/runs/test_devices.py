"""Which device a run may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlt_bench.backbones.source import BackboneSource, locate
from xlt_bench.errors import ConfigError
from xlt_bench.runs.devices import check_fits, check_memory


def test_a_gpu_that_does_not_even_hold_the_weights_is_refused(tmp_path: Path) -> None:
    for name in ("model-1.safetensors", "model-2.safetensors"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(3 << 30)  # a hole: no disk is used
    source = BackboneSource("large", tmp_path, "0" * 16, locate("nano").architecture)
    check_fits(source, "a GPU", 6 << 30)
    with pytest.raises(ConfigError, match=r"the weights of backbone large take 6\.0 GiB, and a GPU has 5\.5 GiB"):
        check_fits(source, "a GPU", (11 << 30) // 2)
    check_memory("cpu", source)
