"""Protocols: objects of one interface, by name. What differs between them is said in them and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError
from xlt_bench.method import Method, Prompting
from xlt_bench.records.cell import FULL, PROMPTED, ZERO_SHOT, Cell
from xlt_bench.runs.protocols.base import TransferProtocol
from xlt_bench.runs.protocols.full import Full
from xlt_bench.runs.protocols.prompted import PromptedProtocol
from xlt_bench.runs.protocols.zero_shot import ZeroShot

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request

__all__ = ["PROTOCOLS", "TransferProtocol", "chosen_protocol", "protocol_of"]

PROTOCOLS: Mapping[str, TransferProtocol] = MappingProxyType(
    {ZERO_SHOT: ZeroShot(), FULL: Full(), PROMPTED: PromptedProtocol()}
)


def protocol_of(cell: Cell) -> TransferProtocol:
    """The protocol that a cell follows."""
    return PROTOCOLS[cell.protocol]


def chosen_protocol(request: Request, method: Method) -> TransferProtocol:
    """The protocol asked for; by default prompted for methods that train nothing, else zero-shot, without sources full.

    Raises:
        ConfigError: no such protocol, or options or a method that do not go with it.
    """
    asks = isinstance(method, Prompting)
    name = request.protocol or (PROMPTED if asks else ZERO_SHOT if request.has_sources else FULL)
    if name not in PROTOCOLS:
        raise ConfigError(f"--protocol takes {' or '.join(PROTOCOLS)}, not '{name}'")
    if asks != (name == PROMPTED):
        kind = "trains nothing, so that its protocol is prompted" if asks else "asks no language model"
        raise ConfigError(f"--protocol {name}: {request.method} {kind}; leave --protocol out")
    PROTOCOLS[name].check_request(request, method)
    return PROTOCOLS[name]
