"""Makes the data files of the stored baselines again from the raw results, byte for byte; `build` of a file a task.

Figures are moved from per cent to [0, 1] as decimal text, so no digit changes. The tables of the XPE paper and
`sources.toml` were typed in; nothing is built for them.
"""

from __future__ import annotations

from pathlib import Path

from scripts.build_baselines import americas_nli, nusax, sib200

__all__ = ["DATA", "build"]

DATA = Path(__file__).parents[2] / "baselines" / "data"


def build(shared: Path) -> dict[str, str]:
    """Name -> content of every data file that is made from raw results.

    Raises:
        DataError: a raw file is not what the stored provenance speaks of.
    """
    return {**sib200.build(shared), **nusax.build(shared), **americas_nli.build(shared)}
