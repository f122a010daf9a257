"""Runs: the Records that a run returned, to look at and to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from xlt_bench.errors import ConfigError
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

if TYPE_CHECKING:
    import pandas
    from rich.table import Table


@dataclass(frozen=True, repr=False)
class Runs(Sequence[Record]):
    """Records in the order of seeds (in the full protocol, of seeds and targets); a sequence of them.

    Attributes:
        records: the Records, failed ones among them.
        store: where they lie.
    """

    records: tuple[Record, ...]
    store: Store

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Record | Runs:
        if isinstance(index, slice):
            return Runs(self.records[index], self.store)
        return self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @property
    def failed(self) -> Runs:
        """Those without predictions; `record.reason` says why."""
        return Runs(tuple(record for record in self.records if not record.complete), self.store)

    @property
    def configuration(self) -> str:
        """Identity of the one row of the board that they make.

        Raises:
            ConfigError: they are of several rows, or there are none.
        """
        if not self.records:
            raise ConfigError("these are no runs, and make no row")
        self._check_one_row()
        return self.records[0].cell.configuration

    def accuracy(self) -> dict[str, float]:
        """Mean accuracy in [0, 1] by target group: over the group's languages, then over complete runs.

        Raises:
            ConfigError: the runs are of several rows, whose means have nothing in common.
        """
        self._check_one_row()
        means: dict[str, list[float]] = {}
        for record in self.records:
            for group, mean in record.group_means().items():
                means.setdefault(group, []).append(mean)
        return {group: sum(values) / len(values) for group, values in means.items()}

    @property
    def _rows(self) -> int:
        return len({record.cell.configuration for record in self.records})

    def _check_one_row(self) -> None:
        if self._rows > 1:
            raise ConfigError(f"these {len(self)} runs make {self._rows} rows; take those of one, runs[a:b]")

    def to_pandas(self) -> pandas.DataFrame:
        """One row a run and target language: label, sources, seed, protocol, shots, language, accuracy in [0, 1].

        A failed run has one row, with what went wrong in `error`.
        """
        import pandas

        rows = []
        for record in self.records:
            cell = record.cell
            about = {
                "record": cell.fingerprint,
                "label": record.row_label,
                "task": cell.task,
                "sources": record.sources_label,
                "protocol": cell.protocol,
                "shots": cell.shots,
                "seed": cell.seed,
            }
            scores = record.accuracy.items() if record.complete else [(None, None)]
            error = None if record.complete else record.reason
            rows += [{**about, "language": code, "accuracy": value, "error": error} for code, value in scores]
        return pandas.DataFrame(rows)

    def predictions(self) -> pandas.DataFrame:
        """One row an item of every complete run: seed, language, item, gold and predicted class, and if they agree.

        Raises:
            StoreError: predictions that the store no longer holds, or that are damaged.
        """
        import pandas

        parts = []
        for record in self.records:
            if not record.complete:
                continue
            answers = self.store.predictions(record)
            columns = {
                "record": record.cell.fingerprint,
                "label": record.row_label,
                "seed": record.cell.seed,
                "language": answers.language,
                "item": answers.item_id,
                "gold": answers.gold,
                "predicted": answers.predicted,
                "correct": answers.correct,
            }
            parts.append(pandas.DataFrame(columns))
        return pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame()

    def __repr__(self) -> str:
        if not self.records:
            return "no runs"
        first = self.records[0]
        seeds = sorted({record.cell.seed for record in self.records})
        named = ", ".join(map(str, seeds)) if len(seeds) <= 5 else f"{seeds[0]} to {seeds[-1]}"
        noun = f"{len(self)} run{'' if len(self) == 1 else 's'}"
        if self._rows > 1:
            return f"{noun} of {self._rows} rows on {first.cell.task}, seeds {named}"
        text = f"{noun} of {first.row_label} on {first.cell.task}, sources {first.sources_label}, seeds {named}"
        means = ", ".join(f"{group} {100 * value:.1f}%" for group, value in self.accuracy().items())
        failed = f"; {len(self.failed)} failed: {self.failed[0].reason}" if len(self.failed) else ""
        return text + (f": {means}" if means else "") + failed

    def _repr_html_(self) -> str:
        from xlt_bench.api.views import as_html

        return as_html(self._table())

    def _table(self) -> Table:
        """A line a run, a column a target group."""
        from rich.table import Table
        from rich.text import Text

        from xlt_bench.io.texts import clean

        groups = list(dict.fromkeys(group for record in self.records for group in record.groups))
        table = Table(title=Text(clean(repr(self))), title_justify="left", title_style="bold", header_style="bold")
        for name in ("seed", "target", *groups):
            table.add_column(Text(clean(name)), justify="right" if name == "seed" else "left")
        for record in self.records:
            means = record.group_means()
            targets = (
                f"{len(record.cell.targets)} languages" if len(record.cell.targets) > 1 else record.cell.targets[0]
            )
            cells = [f"{100 * means[group]:.1f}%" if group in means else "" for group in groups]
            if not record.complete:
                cells[:1] = [f"failed: {record.reason}"]
            table.add_row(*(Text(clean(text)) for text in (str(record.cell.seed), targets, *cells)))
        return table
