"""Protocols: two objects of one interface, by name. What differs between them is said in them and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import FULL, ZERO_SHOT, Cell
from xlt_bench.runs.protocols.base import TransferProtocol
from xlt_bench.runs.protocols.full import Full
from xlt_bench.runs.protocols.zero_shot import ZeroShot

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request

__all__ = ["PROTOCOLS", "TransferProtocol", "chosen_protocol", "protocol_of"]

PROTOCOLS: Mapping[str, TransferProtocol] = MappingProxyType({ZERO_SHOT: ZeroShot(), FULL: Full()})


def protocol_of(cell: Cell) -> TransferProtocol:
    """The protocol that a cell follows."""
    return PROTOCOLS[cell.protocol]


def chosen_protocol(request: Request) -> TransferProtocol:
    """The protocol asked for; by default zero-shot, without sources full.

    Raises:
        ConfigError: no such protocol, or options that do not go with it.
    """
    name = request.protocol or (ZERO_SHOT if request.has_sources else FULL)
    if name not in PROTOCOLS:
        raise ConfigError(f"--protocol takes {' or '.join(PROTOCOLS)}, not '{name}'")
    PROTOCOLS[name].check_request(request)
    return PROTOCOLS[name]
