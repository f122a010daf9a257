"""Which columns of a table hold what."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.errors import ConfigError
from xlt_bench.io.toml_files import TomlTable
from xlt_bench.task import Split

KEYS = ("id", "label", "text", "text_pair", "cluster")


@dataclass(frozen=True)
class Columns:
    """Names of the columns; None: there is no such column.

    `cluster` is read of test items only: those that share a value in a language are not independent of each other. It
    may be one of the others: the first texts of pairs, premises say, are the rule.
    """

    text: str
    label: str
    id: str | None
    text_pair: str | None
    cluster: str | None

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are read of every split."""
        return tuple(name for name in (self.id, self.label, self.text, self.text_pair) if name is not None)

    def of_split(self, split: Split) -> tuple[str, ...]:
        """All columns that are read of a split."""
        return tuple(dict.fromkeys((*self.named, *([self.cluster] if self.cluster and split == "test" else []))))


def read_columns(table: TomlTable) -> Columns:
    """The table `columns` of a TOML file; ConfigError for a key or value that breaks a rule."""
    table.check_keys(KEYS)
    text, text_pair = table.text("text") or "text", table.text("text_pair")
    columns = Columns(
        text=text,
        label=table.text("label") or "label",
        id=table.text("id"),
        text_pair=text_pair,
        cluster=table.text("cluster") or (text if text_pair else None),
    )
    if len(set(columns.named)) < len(columns.named):
        raise ConfigError(f"{table.where}: two of {', '.join(columns.named)} are one column; each needs its own")
    return columns
