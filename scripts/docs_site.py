"""Hook of mkdocs (mkdocs.yml).

It adds pages that are made from the code or lie outside docs/, and turns links as they lead in the repository into
links of the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

import xlt_bench
from xlt_bench.cli.main import app

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "leaderboard/reference-board.md": "reference-board.md",
    "leaderboard/sentence-encoder-board.md": "sentence-encoder-board.md",
}
"""Files outside docs/ -> where they stand on the site."""

API = (
    *(f"xlt_bench.{name}" for name in xlt_bench.__all__ if name != "__version__"),
    "xlt_bench.conformance.check_method",
    "xlt_bench.conformance.parametrize_with_checks",
    "xlt_bench.training.soft_prompt.SoftPrompt",
)
_COLUMNS = 100


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that docs/ has not."""
    from mkdocs.structure.files import File

    texts = {page: (ROOT / path).read_text(encoding="utf-8") for path, page in PAGES.items()}
    texts |= {"commands.md": "\n".join(commands_page()), "api.md": "\n".join(api_page())}
    for page, text in texts.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as they lead in the repository, so that they lead on the site; without a page there, the path is told."""
    folder = posixpath.dirname(_path_of(page.file.src_uri))

    def replaced(link: re.Match[str]) -> str:
        text, target, heading = link.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        uri = PAGES.get(path, path.removeprefix("docs/"))
        if (path in PAGES or path.startswith("docs/")) and files.get_file_from_path(uri) is not None:
            return f"[{text}](<{posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or '.')}{heading or ''}>)"
        return f"{text} (`{path}` in the repository)" if (ROOT / path).exists() else link[0]

    return re.sub(r"\[([^\]\n]+)\]\(<?([\w./-]+)(#[\w-]+)?>?\)", replaced, markdown)


def _path_of(page: str) -> str:
    """Where a page's text lies in the repository."""
    return {site: path for path, site in PAGES.items()}.get(page, f"docs/{page}")


def commands_page() -> Iterator[str]:
    """Every command as its --help says it."""
    group = typer.main.get_command(app)
    yield "# Commands\n\nMade from the code: what `xlt-bench COMMAND --help` prints.\n"
    context = group.make_context("xlt-bench", ["ls"], resilient_parsing=True)
    context.terminal_width = context.max_content_width = _COLUMNS
    for name in group.list_commands(context):  # type: ignore[attr-defined]
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        inner = type(context)(command, info_name=name, parent=context)
        yield f"## {name}\n\n```text\n{command.get_help(inner)}\n```\n"


def api_page() -> Iterator[str]:
    """What notebooks and plug-ins import, from its docstrings."""
    yield "# Python\n\nWhat notebooks and plug-ins import, from the docstrings. See also [the toolkit](toolkit.md).\n"
    for name in API:
        yield f"::: {name}\n"
