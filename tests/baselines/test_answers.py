"""The importer of answers: good files, and every fault named with file and line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from xlt_bench.baselines import Expected, read_answers
from xlt_bench.baselines.rules import SIB200
from xlt_bench.errors import ConfigError, DataError

ITEMS = {"7": "travel", "8": "health"}
EXPECTED = Expected(SIB200, {"eng_Latn": ITEMS, "nqo_Nkoo": ITEMS}, {})
HEADER = "language\tindex_id\tgold\tanswer"
GOOD = [HEADER, "nqo_Nkoo\t8\thealth\tno idea", "nqo_Nkoo\t7\ttravel\tTravel!"]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(lines: list[str], name: str = "answers.tsv") -> Path:
        path = tmp_path / name
        path.write_bytes("\n".join(lines).encode())
        return path

    return written


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_answers(path, expected=EXPECTED)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}, line ")
    return message.removeprefix(f"{path}, ")


def test_a_good_file(write: Write) -> None:
    found = read_answers(write(GOOD), expected=EXPECTED)
    assert list(found.language) == ["nqo_Nkoo", "nqo_Nkoo"]
    assert list(found.item_id) == ["8", "7"]
    assert list(found.gold) == ["health", "travel"]
    assert list(found.predicted) == ["", "travel"]
    assert found.accuracy() == {"nqo_Nkoo": 0.5}


def test_the_rule_is_applied(write: Write) -> None:
    assert list(read_answers(write(GOOD), "exact", EXPECTED).predicted) == ["", ""]


def test_comma_separated_with_other_columns_order_blank_lines_and_mark(write: Write) -> None:
    lines = ["\ufeffanswer,model,gold,index_id,language", '"well, ""travel""\nit is",m,travel,7,eng_Latn', ""]
    path = write([*lines, "health,m,health,8,eng_Latn", ""], "answers.csv")
    assert list(read_answers(path, expected=EXPECTED).predicted) == ["travel", "health"]


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "answers.tsv.gz"
    path.write_bytes(gzip.compress("\r\n".join(GOOD).encode()))
    assert len(read_answers(path, expected=EXPECTED)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {0: "lang\tindex_id\tgold\tanswer"},
            "line 1: the columns are ['lang', 'index_id', 'gold', 'answer'], not ['la",
        ),
        ({0: HEADER + "\tgold"}, "line 1: the columns are"),
        ({0: HEADER.replace("\t", ",")}, "line 1: the columns are ['language,index_id,gold,answer']"),
        ({1: "nqo_Nkoo\t8\thealth"}, "line 2: 3 columns, not 4 as in the first line"),
        ({1: "nqo_Nkoo\t8\thealth\ta\tb"}, "line 2: 5 columns, not 4"),
        ({1: "nqo\t8\thealth\t"}, "line 2: unknown language 'nqo'; codes are like eng_Latn"),
        ({2: "nqo_Nkoo\t9\ttravel\t"}, "line 3: index_id '9' is none of the 2 test items"),
        (
            {1: "nqo_Nkoo\t8\tHealth\t"},
            "line 2: unknown gold label 'Health'; the labels are science/technology, travel",
        ),
        ({1: "nqo_Nkoo\t8\tsports\t"}, "line 2: gold label 'sports', but item '8' is 'health' in the task"),
        ({1: '"nqo\n"\t8\thealth\t'}, "line 2: unknown language 'nqo\\n'"),
        ({2: "nqo_Nkoo\t8\thealth\t"}, "line 3: item '8' of nqo_Nkoo is already in line 2"),
        ({2: ""}, "line 2: nqo_Nkoo ends here without 1 of its 2 test items: 7; an item without an answer needs a row"),
        (
            {1: 'nqo_Nkoo\t8\thealth\t"open'},
            "line 2: unexpected end of data; the quotation marks of the row that begins",
        ),
        ({1: 'nqo_Nkoo\t8\thealth\t"a" b'}, "line 2: "),
        ({1: 'nqo_Nkoo\t8\thealth\t"two\nlines"', 2: "nqo_Nkoo\t9\ttravel\t"}, "line 4: index_id '9'"),
    ],
)
def test_faults(write: Write, change: dict[int, str], message: str) -> None:
    assert fault(write([change.get(at, line) for at, line in enumerate(GOOD)])).startswith(message)


def test_empty_files(write: Write) -> None:
    assert fault(write([])).startswith("line 1: the columns are missing, not ['language'")
    assert fault(write([HEADER])) == "line 1: there is no answer after the columns"


def test_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "answers.tsv"
    path.write_bytes("\n".join([GOOD[0], GOOD[1], "nqo_Nkoo\t7\ttravel\tcafé"]).encode("latin-1"))
    assert "line 3: byte" in fault(path)
    assert "is not UTF-8; save the file as UTF-8" in fault(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*absent.tsv: No such file"):
        read_answers(tmp_path / "absent.tsv")
    broken = tmp_path / "broken.tsv.gz"
    broken.write_bytes(gzip.compress(b"language")[:-3])
    with pytest.raises(DataError, match=r"broken.tsv.gz: not a whole gzip file"):
        read_answers(broken)
    broken.write_bytes(b"plain")
    with pytest.raises(DataError, match="not a whole gzip file"):
        read_answers(broken)
    with pytest.raises(ConfigError, match=r"'answers.xlsx' must end in .tsv, .tsv.gz, .csv or .csv.gz"):
        read_answers(tmp_path / "answers.xlsx")
    with pytest.raises(ConfigError, match="no rule 'none'"):
        read_answers(broken, "none")


def test_the_items_of_sib200_are_known_without_its_texts(write: Write) -> None:
    with pytest.raises(DataError, match="line 2: eng_Latn ends here without 203 of its 204 test items: 1644, 558"):
        read_answers(write([HEADER, "eng_Latn\t1523\tscience/technology\tscience"]))
