"""A cluster as the engine needs it: its nodes, jobs, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xlt_bench.engines.ray.report import Report


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: for Ray.
        host: its name.
        resources: name -> amount, all of it.
        lasting_name: what it is called in files that outlive the cluster.
    """

    id: str
    host: str
    resources: Mapping[str, float]
    lasting_name: str


class Cluster(Protocol):
    """What the engine needs of a cluster. Jobs are numbers."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The machines that are up."""

    def submit(self, plan: str) -> int:
        """Let the cluster carry out a plan when it has what a job asks for."""

    def look(self, node: Node, folder: Path, plan: Path, answer: Path) -> int:
        """Let a job on this node look whether it would see what it needs."""

    def reports(self) -> list[tuple[int, Report]]:
        """What is said since the last call, waiting a second for something to be said."""

    def stop(self, jobs: Sequence[int] | None = None) -> None:
        """Cancel these jobs, or all, and wait until their workers have left."""
