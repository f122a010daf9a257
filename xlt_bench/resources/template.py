"""template: the text around what a language model is asked, `--resource template=FILE`, a text file.

A masked language model's has `{mask}` where the word is to be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xlt_bench.errors import ConfigError
from xlt_bench.io.reading import read_limited
from xlt_bench.io.texts import reason, shortened
from xlt_bench.resources.base import Scope, Supply

TEMPLATE = "template"
TEXT, CHOICES = "{text}", "{choices}"
"""What a template has in the place of an item, and in that of the classes' words."""
_LARGEST = 1 << 16


@dataclass(frozen=True)
class TemplateFile:
    """See `Resource`. Content: the text, with `{text}` once and, if it likes, `{choices}`."""

    name: str = TEMPLATE
    summary: str = "a text file with {text} and {choices} or {mask}, which a language model is asked by"
    path: str | None = "FILE"
    needs_path: bool = True

    def supply(self, scope: Scope) -> Supply:
        """The text of the user's file, without blanks at its ends."""
        assert scope.path is not None, "checked where options are read"
        where = f"--resource {self.name}: {shortened(scope.path)}"
        try:
            content = read_limited(scope.path, _LARGEST)
            text = content.decode("utf-8-sig").replace("\r\n", "\n").strip()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{where}: byte {error.start} is not UTF-8; save it as UTF-8") from None
        except (OSError, ValueError) as error:
            raise ConfigError(f"{where} cannot be read ({reason(error)}); give a text file") from None
        if len(content) > _LARGEST:
            raise ConfigError(f"{where} has more than {_LARGEST:,} bytes, which nobody means as a template")
        if text.count(TEXT) != 1:
            raise ConfigError(f"{where} has {TEXT} {text.count(TEXT)} times; write it once, where the text goes")
        return Supply(text, f"Asked by a template of the user's own, of {len(text)} characters.")

    def example(self, scope: Scope, folder: Path) -> Path:
        """A question, and a mask for who fills one."""
        path = folder / "template.txt"
        path.write_text(f"{TEXT}\nWhich of {CHOICES}? {{mask}}", encoding="utf-8")
        return path
