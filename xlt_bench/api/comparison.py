"""Comparison: what `compare` returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from xlt_bench.leaderboard.compare.model import ComparisonReport

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two rows beside each other, as `xlt-bench compare` shows them; `print(comparison)` shows all of it.

    Attributes:
        report: everything, as plain data.
    """

    report: ComparisonReport

    def to_pandas(self) -> pandas.DataFrame:
        """One row a language group: both values, difference, interval, p, corrected p, verdict; values in [0, 1]."""
        import pandas

        rows = []
        for group in self.report.groups:
            bounds, detectable = group.bounds, group.detectable
            rows.append({
                "group": group.group,
                "languages": len(group.languages),
                "value_a": group.value_a,
                "value_b": group.value_b,
                "difference": group.difference,
                "low": bounds.low if bounds else None,
                "high": bounds.high if bounds else None,
                "p": group.p,
                "adjusted_p": group.adjusted_p,
                "verdict": group.verdict,
                "detectable": detectable.estimate if detectable else None,
                "note": group.note,
            })  # fmt: skip
        return pandas.DataFrame(rows)

    def by_language(self) -> pandas.DataFrame:
        """One row a language: both values, difference, and q after Benjamini-Hochberg."""
        import pandas

        return pandas.DataFrame([asdict(language) for language in self.report.languages])

    def __repr__(self) -> str:
        from xlt_bench.leaderboard.compare.view import verdicts

        return " ".join([f"A: {self.report.a.label}; B: {self.report.b.label}.", *verdicts(self.report)])

    def __str__(self) -> str:
        from xlt_bench.api.views import as_text
        from xlt_bench.leaderboard.compare.view import ReportView

        return as_text(ReportView(self.report))

    def _repr_html_(self) -> str:
        from xlt_bench.api.views import as_html
        from xlt_bench.leaderboard.compare.view import ReportView

        return as_html(ReportView(self.report))
