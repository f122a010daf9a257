"""What may be compared: entries of one setting, and of our own runs those of one protocol and backbone.

Methods that were handed resources beside labelled sources (see `xlt_bench.resources`) are compared with those that were
handed the same kinds. In the full protocol those that saw equally many labelled examples of the target are compared,
whether they began from sources or not: that is the question which this protocol asks. Prompted language models are
compared with each other, whatever their backbone or endpoint: the model is the question there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.baselines.catalogue import NO_TEXT, SETTINGS
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.records.cell import PROMPTED
from xlt_bench.resources.template import TEMPLATE
from xlt_bench.runs.protocols import PROTOCOLS, protocol_of

_ALSO_OURS = ("cross-lingual zero-shot", "sequential transfer")
"""Settings of published results that our own runs have too."""


@dataclass(frozen=True)
class Setting:
    """What the rows of a section have in common.

    Attributes:
        name: how the systems were used.
        published: whether the numbers are others'; then `protocol` and `backbone` are empty.
        backbone: the first name under which its hash was met.
        shots: labelled examples of the target that were learned from; None where their number was not limited.
        resources: what the methods were handed beside labelled sources.
    """

    name: str
    published: bool = False
    protocol: str = ""
    backbone: str = ""
    backbone_hash: str = ""
    shots: int | None = None
    resources: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """As shown."""
        if self.published:
            return f"Published: {self.name}" if self.name in _ALSO_OURS else self.name[:1].upper() + self.name[1:]
        if self.protocol == PROMPTED:
            return f"Prompted language models{self._extra}"
        backbone = "no backbone" if self.backbone_hash == NO_BACKBONE else f"backbone {self.backbone}"
        return f"{self.name[:1].upper()}{self.name[1:]}{self._extra}, {backbone}"

    @property
    def _extra(self) -> str:
        return f", with {' and '.join(self.resources)}" if self.resources else ""

    @property
    def is_floor(self) -> bool:
        """Whether its rows stand below every section that they are a floor of."""
        return (self.backbone_hash == NO_BACKBONE and not self.resources) or self.name == NO_TEXT

    def is_above(self, floor: Setting) -> bool:
        """Whether this is our own runs' section that a floor belongs to: of its name; no text read is one of all."""
        return not self.published and self != floor and floor.name in (self.name, NO_TEXT)


def settings_of(entries: Sequence[Entry]) -> dict[Setting, list[Entry]]:
    """Sections in order: our own runs by protocol and backbone, then published results by setting.

    A method without a backbone is a floor of every section of its name, one that reads no text of all sections of our
    own runs; it gets a section of its own if there is none.
    """
    sections: dict[Setting, list[Entry]] = {}
    names: dict[tuple[str, str, tuple[str, ...]], Setting] = {}
    for entry in entries:
        setting = setting_of(entry)
        first = names.setdefault((setting.name, setting.backbone_hash, setting.resources), setting)
        sections.setdefault(first, []).append(entry)
    for floor in sorted((setting for setting in sections if setting.is_floor), key=lambda setting: setting.published):
        above = [setting for setting in sections if setting.is_above(floor)]
        if above:
            members = sections.pop(floor)
            for setting in above:
                sections[setting] += members
    return dict(sorted(sections.items(), key=lambda item: _order(item[0])))


def setting_of(entry: Entry) -> Setting:
    """Where an entry belongs; a floor has its own here."""
    record, cell = entry.first, entry.first.cell
    if record.setting:
        return Setting(record.setting, published=True)
    name = protocol_of(cell).comparison(cell)
    if cell.protocol == PROMPTED:
        return Setting(name, False, cell.protocol, resources=tuple(sorted(set(cell.resources) - {TEMPLATE})))
    resources = tuple(sorted(cell.resources))
    return Setting(name, False, cell.protocol, cell.backbone, cell.backbone_hash, cell.shots, resources)


def _order(setting: Setting) -> tuple[bool, int, float, str, tuple[str, ...]]:
    if not setting.published:
        shots = math.inf if setting.shots is None else setting.shots
        return (False, list(PROTOCOLS).index(setting.protocol), shots, setting.backbone, setting.resources)
    return (True, SETTINGS.index(setting.name) if setting.name in SETTINGS else len(SETTINGS), 0.0, setting.name, ())
