"""What ids mean between languages, checked on all parts of a task together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xlt_bench.errors import DataError
from xlt_bench.io.texts import shortened
from xlt_bench.task import SPLITS, Split
from xlt_bench.tasks.files.layout import Layout
from xlt_bench.tasks.files.values import CheckedRows

Parts = Mapping[Split, Sequence[CheckedRows]]
"""The tables of one language; a split that it does not have is empty."""


class Position(NamedTuple):
    """Where one item stands."""

    part: CheckedRows
    item: int

    def __str__(self) -> str:
        return self.part.place(self.item)

    @property
    def name(self) -> str | None:
        """Its id; None where its source has none."""
        return None if self.part.ids is None else self.part.ids[self.item]

    @property
    def gold(self) -> int:
        """Position of its class."""
        return self.part.gold[self.item]


def positions(parts: Sequence[CheckedRows]) -> Iterator[Position]:
    """All items of some parts, in order."""
    return (Position(part, item) for part in parts for item in range(len(part)))


def check_items(parts: Mapping[str, Parts], layout: Layout) -> None:
    """Ids and lines mean what the task says.

    Raises:
        DataError: the first item that breaks the rule, with the other one that it contradicts.
    """
    _check_ids(parts, layout)
    if layout.items == "by-line":
        _check_lines(parts, layout)
    elif layout.items != "separate":
        _check_shared(parts, layout)


def _check_ids(parts: Mapping[str, Parts], layout: Layout) -> None:
    """No id twice in a language, whatever the file."""
    hint = f"an id is one item of one split; if ids begin anew in each, leave [columns] id out of {layout.toml}"
    for splits in parts.values():
        first: dict[str, Position] = {}
        for position in (position for split in SPLITS for position in positions(splits[split])):
            if position.name is not None:
                earlier = first.setdefault(position.name, position)
                if earlier is not position:
                    raise DataError(f"{position}: id '{shortened(position.name)}' is also in {earlier}; {hint}")


def _check_lines(parts: Mapping[str, Parts], layout: Layout) -> None:
    """As many lines as in the first language, with the same labels line by line; lines left out have none."""
    hint = f'lines must be parallel, as items = "by-line" in {layout.toml} says'
    for split in SPLITS:
        first, *further = layout.languages[split]
        expected = _by_line(parts[first][split])
        for code in further:
            for line, position in _by_line(parts[code][split]).items():
                if line in expected:
                    _check_gold(position, expected[line], layout, hint)
            lengths = [sum(part.lines for part in parts[name][split]) for name in (code, first)]
            if lengths[0] != lengths[1]:
                origins = [parts[name][split][0].table.origin for name in (code, first)]
                raise DataError(f"{origins[0]} has {lengths[0]} items, but {origins[1]} has {lengths[1]}; {hint}")


def _by_line(parts: Sequence[CheckedRows]) -> dict[int, Position]:
    """Line of a split, all its tables one after the other -> the item."""
    lines: dict[int, Position] = {}
    first = 0
    for part in parts:
        lines |= {first + row: Position(part, item) for item, row in enumerate(part.rows)}
        first += part.lines
    return lines


def _check_shared(parts: Mapping[str, Parts], layout: Layout) -> None:
    """An id is of one split and one class in all languages; with `parallel` every language of a split has it."""
    hint = f'an id is the same item in every language, as items = "{layout.items}" in {layout.toml} says'
    first: dict[str, tuple[Split, Position]] = {}
    for split in SPLITS:
        for position in (position for code in layout.languages[split] for position in positions(parts[code][split])):
            name = position.name
            if name is None:
                continue
            home, earlier = first.setdefault(name, (split, position))
            if home != split:
                raise DataError(
                    f"{position}: id '{shortened(name)}' is of {split} here, but of {home} in {earlier}; {hint}"
                )
            _check_gold(position, earlier, layout, hint)
    for split in SPLITS if layout.items == "parallel" else ():
        everything = {name: position for name, (home, position) in first.items() if home == split}
        _check_complete([parts[code][split] for code in layout.languages[split]], everything, layout)


def _check_complete(
    languages: Sequence[Sequence[CheckedRows]], everything: Mapping[str, Position], layout: Layout
) -> None:
    """Every language of a split has every item; one whose source has no ids is left out."""
    for parts in languages:
        names = {position.name for position in positions(parts)}
        lacking = [name for name in everything if name not in names] if names != {None} else []
        if lacking:
            more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
            home = everything[lacking[0]]
            raise DataError(
                f"{parts[0].table.origin} lacks id '{shortened(lacking[0])}', which is in {home}{more}; "
                f'add what is missing, or say items = "overlapping" in {layout.toml}'
            )


def _check_gold(position: Position, reference: Position, layout: Layout, hint: str) -> None:
    if position.gold != reference.gold:
        label, expected = layout.labels[position.gold], layout.labels[reference.gold]
        raise DataError(f"{position}: label '{label}', but '{expected}' in {reference}; {hint}")
