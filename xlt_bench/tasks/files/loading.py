"""All files of a task together: which there are, what ids mean between languages, and the Task that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlt_bench.errors import DataError
from xlt_bench.task import SPLITS, Example, Labelled, Split, Task
from xlt_bench.tasks.clusters import linked
from xlt_bench.tasks.files.reading import Part, place_of, read_part
from xlt_bench.tasks.files.spec import Layout, Spec

Parts = Mapping[Split, Sequence[Part]]
"""The files of one language; a split that it does not have is empty."""

_NAMED = 5  # missing files that a message lists


class Place(NamedTuple):
    """Where one item stands."""

    part: Part
    row: int

    def __str__(self) -> str:
        return place_of(self.part.path, self.row)

    @property
    def name(self) -> str:
        """Its id; only of tasks that have ids."""
        assert self.part.ids is not None
        return self.part.ids[self.row]

    @property
    def gold(self) -> int:
        """Position of its class."""
        return self.part.gold[self.row]


def load_spec(spec: Spec) -> Task:
    """Read all files of a task.

    Raises:
        DataError: the first rule that is broken, with file and line and the way out.
    """
    layout, codes = spec.layout, tuple(spec.languages)
    paths = _paths(layout, codes)
    parts = {
        code: {split: [read_part(path, split, layout) for path in paths[code, split]] for split in SPLITS}
        for code in codes
    }
    if layout.columns.id is not None:
        _check_ids(parts, layout)
    if layout.items == "by-line":
        _check_lines(parts, layout)
    elif layout.items != "separate":
        _check_shared(parts, layout)
    data = {code: {split: _labelled(code, split, parts[code][split], layout) for split in SPLITS} for code in codes}
    return Task(spec.name, layout.labels, spec.languages, data, _clusters(parts, data))


def _paths(layout: Layout, codes: Sequence[str]) -> dict[tuple[str, Split], list[Path]]:
    """The files of every language and split; DataError that lists what is missing."""
    if not layout.data.is_dir():
        raise DataError(f"no folder '{layout.data}'; it must hold {layout.files}, as {layout.toml} says")
    found: dict[tuple[str, Split], list[Path]] = {}
    missing = []
    for code in codes:
        for split in SPLITS:
            found[code, split] = []
            if code in layout.languages[split]:
                name = layout.files.replace("{language}", code).replace("{split}", layout.splits[split])
                found[code, split] = sorted(path for path in layout.data.glob(name) if path.is_file())
                missing += [] if found[code, split] else [name]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise DataError(
            f"'{layout.data}' lacks {', '.join(missing[:_NAMED])}{more}; {layout.toml} says which languages and splits "
            "there are (where only some have a train split: [splits] train = { languages = [...] })"
        )
    return found


def _places(parts: Sequence[Part]) -> Iterator[Place]:
    return (Place(part, row) for part in parts for row in range(len(part)))


def _check_ids(parts: Mapping[str, Parts], layout: Layout) -> None:
    """No id twice in a language, whatever the file."""
    hint = f"an id is one item of one split; if ids begin anew in each, leave [columns] id out of {layout.toml}"
    for own in parts.values():
        homes: dict[str, Place] = {}
        for split in SPLITS:
            for place in _places(own[split]):
                other = homes.setdefault(place.name, place)
                if other is not place:
                    raise DataError(f"{place}: id '{place.name}' is also in {other}; {hint}")


def _check_lines(parts: Mapping[str, Parts], layout: Layout) -> None:
    """As many items as in the first language, with the same labels line by line."""
    hint = f'lines must be parallel, as items = "by-line" in {layout.toml} says'
    for split in SPLITS:
        first, *others = layout.languages[split]
        for code in others:
            pairs = zip_longest(_places(parts[code][split]), _places(parts[first][split]))
            for place, other in pairs:
                if place is None or other is None:
                    lengths = [sum(map(len, parts[one][split])) for one in (code, first)]
                    files = [parts[one][split][0].path for one in (code, first)]
                    raise DataError(f"{files[0]} has {lengths[0]} items, but {files[1]} has {lengths[1]}; {hint}")
                _check_gold(place, other, layout, hint)


def _check_shared(parts: Mapping[str, Parts], layout: Layout) -> None:
    """An id is of one split and one class in all languages; with `parallel` every language of a split has it."""
    hint = f'an id is the same item in every language, as items = "{layout.items}" in {layout.toml} says'
    known: dict[str, tuple[Split, Place]] = {}
    for split in SPLITS:
        for code in layout.languages[split]:
            for place in _places(parts[code][split]):
                home, other = known.setdefault(place.name, (split, place))
                if home != split:
                    raise DataError(f"{place}: id '{place.name}' is of {split} here, but of {home} in {other}; {hint}")
                _check_gold(place, other, layout, hint)
    for split in SPLITS if layout.items == "parallel" else ():
        everything = {name: place for name, (home, place) in known.items() if home == split}
        _check_complete([parts[code][split] for code in layout.languages[split]], everything, layout)


def _check_complete(languages: Sequence[Sequence[Part]], everything: Mapping[str, Place], layout: Layout) -> None:
    """Every language of a split has every item."""
    for own in languages:
        names = {place.name for place in _places(own)}
        lacking = [name for name in everything if name not in names]
        if lacking:
            more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
            raise DataError(
                f"{own[0].path} lacks id '{lacking[0]}', which is in {everything[lacking[0]]}{more}; "
                f'add what is missing, or say items = "overlapping" in {layout.toml}'
            )


def _check_gold(place: Place, other: Place, layout: Layout, hint: str) -> None:
    if place.gold != other.gold:
        own, theirs = layout.labels[place.gold], layout.labels[other.gold]
        raise DataError(f"{place}: label '{own}', but '{theirs}' in {other}; {hint}")


def _clusters(parts: Mapping[str, Parts], data: Mapping[str, Mapping[Split, Labelled]]) -> dict[str, str]:
    """Test items that share a cluster in any language are one cluster: a premise has other words in each."""
    features: dict[str, list[tuple[str, str]]] = {}
    for code, files in parts.items():
        names = [name for part in files["test"] for name in part.clusters or ()]
        for example, name in zip(data[code]["test"].examples if names else (), names, strict=True):
            features.setdefault(example.id, []).append((code, name))
    return linked(features)


def _labelled(code: str, split: Split, parts: Sequence[Part], layout: Layout) -> Labelled:
    examples = []
    for number, (part, row) in enumerate(_places(parts), 1):
        name = f"{split}-{number}" if part.ids is None else part.ids[row]
        pair = None if part.pairs is None else part.pairs[row]
        # an id that languages share is one item to the statistics
        shared = layout.items != "separate"
        examples.append(Example(name if shared else f"{code}:{name}", code, part.texts[row], pair))
    return Labelled(tuple(examples), np.array([gold for part in parts for gold in part.gold], np.int64))
