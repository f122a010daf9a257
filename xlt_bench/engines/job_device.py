"""The device of jobs on a cluster, which the machine that submits them may lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xlt_bench.engines.plan import Plan
from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import Cell
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.request import Request


@dataclass(frozen=True)
class JobDevice:
    """What jobs compute with.

    Attributes:
        gpus: as they ask for them, for messages.
        has_gpu: whether that is one, or a share of one.
    """

    gpus: object
    has_gpu: bool

    @property
    def name(self) -> str:
        """As torch has it."""
        return "cuda" if self.has_gpu else "cpu"

    def adapted(self, request: Request) -> Request:
        """The request for this machine, whose cells are those that jobs make: precision is theirs.

        Raises:
            ConfigError: it names another device than that of the jobs.
        """
        if request.device is not None and request.device.partition(":")[0] != self.name:
            raise ConfigError(
                f"--device {request.device}: jobs ask for {self.gpus} GPUs; leave --device out, and say "
                f"--job gpus={0 if self.has_gpu else 1}"
            )
        precision = "bf16" if request.precision == "auto" and self.has_gpu else request.precision
        return replace(request, device="cpu", precision=precision)

    def plan(self, experiment: Experiment, cells: Sequence[Cell], pack: int | None) -> Plan:
        """Some cells of an adapted request, for a job."""
        plan = Plan.of(experiment, cells, pack)
        return replace(plan, request=replace(plan.request, device=self.name))
