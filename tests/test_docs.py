"""The code in the documentation runs as it stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

import xlt_bench
from scripts import docs_site
from tests.support import ROOT
from xlt_bench.baselines.catalogue import NO_TEXT, baselines
from xlt_bench.cli.main import app
from xlt_bench.conformance import CHECKS
from xlt_bench.plugins.registry import METHODS, entries, qualified
from xlt_bench.tasks import task_names

GUIDE = (ROOT / "docs/adding-a-method.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n# (?!test_)(\S+)\n(.*?)```", GUIDE, re.S)
CLASSES = {"my_prompt.py": "LowRankPrompt", "my_encoder.py": "LastLayerApart", "centroids.py": "Centroids"}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each `xlt-bench` command in the blocks of a page, without comments."""
    for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("xlt-bench "):
                yield shlex.split(line, comments=True)[1:]


def anchor(heading: str) -> str:
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(<?([^)>\s]+)>?\)", text):
        if re.match(r"\w+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            assert heading in map(anchor, headings), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_understood(page: Path) -> None:
    """Command, options and their types; what names files and rows is tried by hand."""
    group = typer.main.get_command(app)
    for words in commands(page):
        command = group.get_command(None, words[0])  # type: ignore[attr-defined]
        assert command is not None, words
        command.make_context(words[0], words[1:])


def listed(part: object) -> set[str]:
    """The pages of a navigation, or of a part of one."""
    if isinstance(part, str):
        return {part}
    return {page for item in (part.values() if isinstance(part, dict) else part) for page in listed(item)}  # type: ignore[attr-defined]


def test_the_site_lists_every_page() -> None:
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert listed(navigation) == pages | set(docs_site.PAGES.values()) | {"commands.md", "api.md", "studies/README.md"}


def test_the_site_has_every_command() -> None:
    text = "\n".join(docs_site.commands_page())
    names = re.findall(r"^## (\S+)$", text, re.M)
    assert {"run", "compare", "check-method"} < set(names)
    assert text.count("Usage: xlt-bench ") == len(names)


def test_there_is_a_soft_prompt_of_about_40_lines_and_a_method_from_scratch() -> None:
    lines = {name: len([line for line in code.splitlines() if line.strip()]) for name, code in BLOCKS}
    assert set(lines) == set(CLASSES)
    assert lines["my_prompt.py"] <= 40


@pytest.mark.parametrize(("name", "code"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_method_from_the_documentation_runs_and_its_weights_load(tmp_path: Path, name: str, code: str) -> None:
    path = tmp_path / name
    path.write_text(code, encoding="utf-8")
    records = xlt_bench.run(
        f"{path}:{CLASSES[name]}",
        "eng_Latn",
        targets="deu_Latn",
        seeds=[0],
        steps=4,
        store=tmp_path / "store",
        save_weights=True,
    )
    (record,) = records
    assert record.error is None
    assert record.complete
    assert list(record.accuracy) == ["deu_Latn"]
    assert any((tmp_path / "store" / record.cell.fingerprint / "weights").iterdir())


def test_every_shipped_method_has_a_card() -> None:
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    names = {entry.name for entry in entries(METHODS) if qualified(entry).startswith("xlt-bench/")}
    assert len(names) > 20
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_numbers_that_the_readme_names_are_those_of_the_code() -> None:
    ours = sum(baseline.setting == NO_TEXT for baseline in baselines())
    expected = {"published results": len(baselines()) - ours, "checks on a toy task": len(CHECKS)}
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert {noun: int(number) for noun in expected for number in re.findall(rf"(\d+) {noun}", text)} == expected
    assert "seven tasks" in text
    assert len(task_names()) == 7
