"""The name that a user gives to the row of a run with `--label`."""

from __future__ import annotations

from xlt_bench.errors import ConfigError
from xlt_bench.runs.experiment import Experiment


def name_row(experiment: Experiment, label: str | None) -> None:
    """Keep a name for the one row that an experiment's runs form; None leaves its name as it is.

    Raises:
        ConfigError: its runs form several rows, or a name that tables cannot show.
        StoreError: the store cannot be written.
    """
    if label is None:
        return
    configurations = {cell.configuration for cell in experiment.cells}
    if len(configurations) > 1:
        raise ConfigError(
            f"--label names one row, and these runs form {len(configurations)} (numbers of --shots); run them one by "
            "one, or name the rows afterwards with: xlt-bench label"
        )
    experiment.setup.store.labels.write(configurations.pop(), label)
