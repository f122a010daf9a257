"""The report of a study: Markdown laid out like the paper's tables, with intervals, tests, and figures beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from xlt_bench.errors import ConfigError
from xlt_bench.io.outputs import write_output
from xlt_bench.io.paths import is_folder
from xlt_bench.leaderboard.render.markup import markdown, markdown_text
from xlt_bench.leaderboard.render.notes import legend, outlier_texts
from xlt_bench.leaderboard.render.page.texts import capitalised
from xlt_bench.leaderboard.study.costs import cost_table
from xlt_bench.leaderboard.study.lines import Results, backbone_of, results_of
from xlt_bench.leaderboard.study.pairs import languages_text, pairs_table
from xlt_bench.leaderboard.study.tables import curve_tables, groups_table
from xlt_bench.studies.definition import Form, Study
from xlt_bench.studies.planning import Planned

_BODIES: Mapping[Form, Callable[[Results], str]] = {
    "groups": groups_table,
    "board": lambda results: _without_title(markdown(results.board)),
    "languages": lambda results: f"{groups_table(results)}\n\n{languages_text(results)}",
    "curve": curve_tables,
    "cost": cost_table,
}


def show_report(study: Study, planned: Sequence[Planned], output: Path | None, metric: str | None = None) -> None:
    """Print a report, or write it into a file with its figures beside it.

    Args:
        metric: in place of the study's, or of what the task is judged by.

    Raises:
        ConfigError: nothing has run, or the file cannot be written.
    """
    if output is not None and output.suffix != ".md":
        raise ConfigError(f"-o {output}: a report is Markdown; give a file that ends in .md")
    if output is not None and not is_folder(output.parent):
        raise ConfigError(f"-o {output}: there is no folder {output.parent}; make it first")
    results = results_of(study, planned, metric)
    if output is None:
        sys.stdout.write(report_text(results, ()))
        return
    write_output(output, report_text(results, _figures(results, output)), "-o")
    print(f"report: {output}", file=sys.stderr)


def report_text(results: Results, figures: Sequence[Path]) -> str:
    """The whole report.

    Args:
        figures: files beside it that it shows.
    """
    study = results.study
    setting = f"on {results.board.task} with {backbone_of(results) or 'no backbone'}"
    parts = [
        f"# {markdown_text(f'{study.title}, {setting}')}",
        markdown_text(study.question),
        "\n".join(_facts(results)),
    ]
    parts += [f"![{path.stem}](<{path.name}>)" for path in figures]
    parts.append(_BODIES[study.report.form](results))
    pairs = pairs_table(results)
    if pairs:
        parts += ["## Differences", pairs, _PAIRS]
    parts.append("\n".join(f"- {markdown_text(line)}" for line in _notes(results)))
    return "\n\n".join(part for part in parts if part) + "\n"


_PAIRS = (
    "A pair is compared on the same items and languages (two-way: random over seeds and items); p is corrected by Holm "
    "over all lines of a target group. Tests on a group that the study or the task did not declare as primary are "
    "exploratory."
)


def _facts(results: Results) -> Iterator[str]:
    first = results.records[0]
    setups = [line.planned.experiment.setup for line in results.lines if line.planned.experiment]
    adapting = sorted({setup.target_label for setup in setups if setup.target_label})
    steps = [part for part in results.changes.split(", ") if part and not part.startswith("preset ")]
    changes = ", ".join([*steps, *adapting])
    presets = sorted({record.cell.preset for record in results.records if record.cell.preset})
    seeds = sorted({record.cell.seed for record in results.records})
    commits = sorted({str(record.environment.get("commit", "unknown")) for record in results.records})
    devices = sorted({str(record.environment.get("device", "")) for record in results.records})
    dates = sorted({record.created[:10] for record in results.records if record.created})
    yield f"- Task {markdown_text(first.cell.task)} (data {first.cell.task_hash[:8]}), backbone " + markdown_text(
        f"{backbone_of(results) or 'none'}, preset {', '.join(presets) or 'none'}{changes and ', ' + changes}"
    )
    total = len(results.records) + results.missing
    yield f"- {len(results.records)} of {total} runs, {results.failed} of them failed; seeds {_listed(seeds)}"
    yield f"- Made on {' to '.join(dict.fromkeys([dates[0], dates[-1]])) if dates else 'an unknown day'}, " + (
        f"{', '.join(devices)}, code {markdown_text(', '.join(commits))}"
    )
    if results.missing:
        yield f"- **Incomplete**: {results.missing} runs are missing; the numbers are those of the others."


def _notes(results: Results) -> Iterator[str]:
    title = capitalised(results.metric.title)
    yield f"{title} in per cent: plain mean over the group's languages and over seeds, with its 95% two-way interval."
    if results.study.report.form != "board":
        yield from (text for text in legend(results.board) if text.startswith(("*:", "!:", "^:", "Letters in")))
        yield from (f"^: {text}." for line in results.lines for text in outlier_texts(line.row))
    if any((line.shots or 0) > 0 for line in results.lines):
        yield (
            "Labelled target examples: as many for training, and at most as many of the dev split to select on; drawn "
            "by seed, the same for every method."
        )
    if results.study.report.form == "cost":
        yield (
            "Seconds and memory are of one process on the machine as busy as it was; memory is the whole process's, "
            "with what it still holds of runs before."
        )
    yield from results.board.caveats
    yield from (f"Skipped: {text}" for text in results.board.skipped)
    yield from (f"Left out: {reason}" for reason in results.left_out)
    for line in results.lines:
        if line.row.failed_seeds:
            yield f"Failed: {line.label}, sources {line.sources}, seeds {_listed(list(line.row.failed_seeds))}."


def _listed(numbers: Sequence[int]) -> str:
    gapless = list(numbers) == list(range(numbers[0], numbers[-1] + 1)) if numbers else False
    return f"{numbers[0]} to {numbers[-1]}" if gapless and len(numbers) > 2 else ", ".join(map(str, numbers))


def _without_title(text: str) -> str:
    return text.split("\n", 1)[1].strip()


def _figures(results: Results, output: Path) -> list[Path]:
    """Files drawn beside the report; none, with a word, where matplotlib is not installed."""
    from xlt_bench.leaderboard.study.figures import save_study_figure

    try:
        return save_study_figure(results, output.with_suffix(""))
    except ConfigError as error:
        print(f"no figure: {error}", file=sys.stderr)
        return []
