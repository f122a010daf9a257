"""Data sets in the hub's layout: their card names files inside their folder, and what it packs is counted first."""

from __future__ import annotations

from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from xlt_bench.errors import DataError
from xlt_bench.tasks.files.arrow_tables import configuration_table
from xlt_bench.tasks.files.tables import RowTable

ROWS = arrow.table({"text": ["first", "second"], "label": ["x", "y"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set with one file of rows, beside a folder with another."""
    for name in ("outside", "data"):
        (tmp_path / name).mkdir()
        parquet.write_table(ROWS, tmp_path / name / "test.parquet")
    return tmp_path / "data"


def read(folder: Path, card: str) -> RowTable:
    (folder / "README.md").write_text(f"---\nconfigs:\n- config_name: a\n{card}\n---\n# Data\n", encoding="utf-8")
    return configuration_table(folder, "a", "test", "'data'", ("text", "label"), Path("task.toml"))


@pytest.mark.parametrize(
    "card",
    [
        "  data_files:\n  - split: test\n    path: test.parquet",
        "  data_files:\n  - split: test\n    path: ['./t*.parquet']\n  description: as in ../outside, http://host/",
    ],
)
def test_a_card_may_name_files_in_its_folder(card: str, folder: Path) -> None:
    assert list(read(folder, card).columns["text"]) == ["first", "second"]


@pytest.mark.parametrize(
    "name",
    [
        "../outside/test.parquet",
        "sub/../../outside/*.parquet",
        "..\\outside\\test.parquet",
        "/outside/test.parquet",
        "file:///outside/test.parquet",
        "http://127.0.0.1:9/test.parquet",
        "hf://datasets/a/b/test.parquet",
        "C:/outside/test.parquet",
        "zip://test.parquet::outside.zip",
    ],
)
@pytest.mark.parametrize(
    "card",
    ["data_files: '{}'", "data_files: ['{}']", "data_files:\n  - split: test\n    path: ['test.parquet', '{}']"],
)
def test_a_card_that_leads_out_of_its_folder_is_refused(card: str, name: str, folder: Path) -> None:
    with pytest.raises(DataError, match=r"'data': its README.md names the data files") as error:
        read(folder, "  " + card.format(name))
    assert name in str(error.value)


def test_neither_a_data_folder_nor_a_card_of_another_name_leads_out(folder: Path) -> None:
    with pytest.raises(DataError, match=r"names the data files '\.\./outside'; only paths inside its folder"):
        read(folder, "  data_dir: ../outside")
    (folder / ".huggingface.yaml").write_text("configs: []")
    with pytest.raises(DataError, match=r"has a \.huggingface\.yaml, which is not read here; move what it says to"):
        read(folder, "  data_files: test.parquet")


@pytest.mark.parametrize("card", ["  data_files: [[1, null]]", "  3", "  data_files: {", "\0"])
def test_a_card_that_makes_no_sense_is_one_line(card: str, folder: Path) -> None:
    with pytest.raises(DataError, match="'data'") as error:
        read(folder, card)
    assert "\n" not in str(error.value)
    assert "()" not in str(error.value)


def test_a_configuration_that_unpacks_to_more_than_a_memory(folder: Path) -> None:
    """One text of 1 MiB, four thousand times, in a file of some kilobytes."""
    index = arrow.array([0] * 4096, arrow.int32())
    columns = {
        "text": arrow.DictionaryArray.from_arrays(index, arrow.array(["x" * (1 << 20)])),
        "label": arrow.DictionaryArray.from_arrays(index, arrow.array(["x"])),
    }
    parquet.write_table(arrow.table(columns), folder / "test.parquet", compression="zstd")
    assert (folder / "test.parquet").stat().st_size < 1 << 20
    with pytest.raises(DataError, match=r"data/test.parquet holds more than 2 GiB of text in the columns"):
        read(folder, "  data_files:\n  - split: test\n    path: test.parquet")
