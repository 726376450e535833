"""What the stand-in for a W&B server holds: runs, artifacts, sweeps and reports, as its clients sent them."""

import base64
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

ENTITY = "local"


def global_id(kind: str, key: object) -> str:
    """An id as the real server makes them: clients take it apart again."""
    return base64.b64encode(f"{kind}:v1:{key}".encode()).decode()


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def connection(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """A list in the form in which GraphQL pages through it; here everything is on one page."""
    edges = [{"node": node, "cursor": str(place)} for place, node in enumerate(nodes)]
    return {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}, "totalCount": len(nodes)}


@dataclass
class Run:
    """One run; `state` is what the server concludes from the stream, as the real one does."""

    entity: str
    project: str
    name: str
    """The run's id; `display_name` is what people read."""
    display_name: str | None = None
    group: str | None = None
    job_type: str | None = None
    sweep: str | None = None
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    state: str = "running"
    exit_code: int | None = None
    starts: int = 0
    """How often a process has opened it; again only after the one before has ended it."""
    created: str = field(default_factory=now)

    @property
    def id(self) -> str:
        return global_id("Run", f"{self.name}:{self.project}:{self.entity}")

    def end(self, exit_code: int) -> None:
        """What a run that was marked as about to be preempted becomes depends on how its process ends."""
        self.exit_code = exit_code
        preempted = self.state == "preempting" and exit_code != 0
        self.state = "preempted" if preempted else "finished" if exit_code == 0 else "failed"

    def plain_config(self) -> dict[str, Any]:
        """The configuration without the wrapping and without W&B's own key."""
        return {key: entry["value"] for key, entry in self.config.items() if key != "_wandb"}


@dataclass
class Artifact:
    """One version of an artifact."""

    id: str
    type: str
    name: str
    digest: str
    version: int
    logged_by: str | None
    metadata: dict[str, Any]
    state: str = "PENDING"
    files: dict[str, bytes] = field(default_factory=dict)
    """Uploaded files; references are in the manifest only."""
    manifest: dict[str, Any] = field(default_factory=dict)
    used_by: list[str] = field(default_factory=list)


@dataclass
class Sweep:
    name: str
    config: dict[str, Any]
    raw: str
    entity: str
    project: str
    given: int = 0
    state: str = "RUNNING"

    @property
    def id(self) -> str:
        return global_id("Sweep", self.name)


class Store:
    """Everything that the server was told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.runs: dict[tuple[str, str, str], Run] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.manifests: dict[str, str] = {}
        self.sweeps: dict[str, Sweep] = {}
        self.agents: dict[str, str] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.charts: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        """Bodies by the path that the server named for them."""
        self.requests: list[tuple[str, dict[str, Any]]] = []
        """Every GraphQL operation and its variables, in order."""
        self.unknown: list[str] = []
        """Operations that no answer exists for; the tests read it."""
        self.gone = False
        """Whether every request is answered with a broken connection from now on."""
        self._numbers = itertools.count(1)

    def hang_up(self) -> None:
        """From now on every request is answered with a broken connection."""
        self.gone = True

    def number(self) -> int:
        return next(self._numbers)

    def run(self, entity: str | None, project: str | None, name: str) -> Run | None:
        return self.runs.get((entity or ENTITY, project or "uncategorized", name))

    def run_of(self, run_id: str, project: str = "prefillroute") -> Run:
        """A run for a test to look at."""
        return self.runs[ENTITY, project, run_id]

    def artifact(self, kind: str) -> Artifact:
        """The only artifact of a type, for a test to look at."""
        (found,) = [each for each in self.artifacts.values() if each.type == kind]
        return found
