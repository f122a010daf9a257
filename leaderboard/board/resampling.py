"""The bootstrap's resampled means of rows, each row's draw being the same on every board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlt_bench.leaderboard.board.measuring import GroupMeasurement
from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.metrics.base import Values
from xlt_bench.stats import percentile_bounds, resampled_means, resampled_over_languages

RESAMPLES = 10_000
_RESAMPLES_OF_LANGUAGES = 4_000

Draws = Mapping[str, Values]
"""By key of an entry its resampled means (resamples,)."""


@dataclass(frozen=True)
class Resampler:
    """Resampled means as far as a board needs them.

    Attributes:
        families: language code -> family, of the languages whose family is known.
    """

    options: Options
    reductions: Reductions
    families: Mapping[str, str]

    def bounds(self, measured: Sequence[GroupMeasurement]) -> dict[str, Bounds]:
        """By key of the entry, the interval on the row's own languages; none where the board shows none."""
        if not self.options.shows_bootstrap:
            return {}
        by_languages: dict[tuple[str, ...], list[Entry]] = {}
        for row in measured:
            if row.reduced is not None and row.reduced.testable:
                by_languages.setdefault(row.languages, []).append(row.entry)
        bounds = {}
        for languages, entries in by_languages.items():
            for key, means in self._draws(entries, languages).items():
                low, high = percentile_bounds(means, self.options.level)
                bounds[key] = Bounds(float(low), float(high))
        return bounds

    def tests(self, entries: Sequence[Entry], languages: tuple[str, ...]) -> Draws:
        """The draws behind the tests of these rows, where tests are of the bootstrap."""
        return self._draws(entries, languages) if self.options.interval == "bootstrap" else {}

    def _draws(self, entries: Sequence[Entry], languages: tuple[str, ...]) -> Draws:
        """The draw of clusters follows from which items they are, that of a row's seeds from its answers.

        So a board is the same whoever makes it, and from the same Records also row by row when others are added.
        """
        scores = [self.reductions.of(entry, languages) for entry in entries]
        if not all(score.testable for score in scores):
            return {}
        seed_keys = [entry.answers.content for entry in entries if entry.answers is not None]
        if self.options.random_languages:
            means = self._over_languages(entries, languages, scores[0].draw_key, seed_keys)
        else:
            xs = [score.x for score in scores]
            means = resampled_means(xs, key=scores[0].draw_key, seed_keys=seed_keys, resamples=RESAMPLES)
        return {entry.key: mean for entry, mean in zip(entries, means, strict=True)} if means else {}

    def _over_languages(
        self, entries: Sequence[Entry], languages: tuple[str, ...], draw_key: bytes, seed_keys: Sequence[bytes]
    ) -> list[Values]:
        """A language of unknown family is a family of its own; of one family alone there is no draw."""
        families = [self.families.get(code) or code for code in languages]
        if len(set(families)) < 2:
            return []
        occurring, clusters = self.reductions.clusters_in(entries[0], languages)
        return resampled_over_languages(
            [self.reductions.values(entry, languages)[:, :, occurring] for entry in entries],
            families,
            clusters=clusters,
            key=draw_key,
            seed_keys=seed_keys,
            resamples=_RESAMPLES_OF_LANGUAGES,
        )
