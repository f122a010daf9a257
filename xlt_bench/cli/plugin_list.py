"""What `xlt-bench ls methods` and `ls engines` print: plain columns, which need neither rich nor any plug-in."""

from __future__ import annotations

from xlt_bench.io.texts import clean
from xlt_bench.plugins.registry import Kind, entries, package_of


def plugin_list(kind: Kind) -> str:
    """What packages offer of a kind, from entry-point metadata alone; a line each, under a head."""
    rows = [(kind.noun, "package", "class")]
    rows += [(clean(entry.name), clean(package_of(entry)), clean(entry.value)) for entry in entries(kind)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
