"""One disturbed survey, from an empty system to the verdict."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import random
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import compare
import judge
import parity
import scene
import servers
from disturbances import CLUSTERED, EXTRA, OF_AWS, Timeline, plan
from dump import dump

if TYPE_CHECKING:
    from disturbances import Disturbance


if TYPE_CHECKING:
    from disturbances import Disturbance
    from scene import Scene
    from system import System

HERE = Path(__file__).resolve().parent
# Seconds. A survey of the small organization takes some ten; disturbed, several times longer. A hung region may cost three
# minutes.
BOUND = 300
# An undisturbed one, and the end of all disturbances and other schedulers after a survey.
UNDISTURBED, CALM = 240, 180
# The first one, with a Neo4j that has compiled nothing yet. Every later survey may take as much longer as it took, because
# it tells how slow the machine is.
FIRST = 900
TICK = 0.05


@dataclasses.dataclass(frozen=True)
class Seed:
    number: int
    scene: scene.Scene
    disturbances: list[Disturbance]
    bound: int = BOUND

    @staticmethod
    def drawn(number: int, kinds: Sequence[str], older: str | Path | None) -> Seed:
        """All of it by chance, or the disturbances of these kinds."""
        draw = random.Random(number)
        drawn = scene.drawn(number, draw)
        disturbances = plan(draw, kinds)
        if not older:
            drawn = dataclasses.replace(drawn, versions=False)
        if any(planned.disturb in CLUSTERED for planned in disturbances):
            drawn = dataclasses.replace(drawn, nats=3)
        return Seed.of(number, drawn, disturbances)

    @staticmethod
    def of(number: int, scene: Scene, disturbances: list[Disturbance]) -> Seed:
        """With the time that these disturbances may cost."""
        extra = sum(EXTRA.get(planned.disturb, 0) for planned in disturbances)
        return Seed(number, scene, disturbances, BOUND + extra)


@dataclasses.dataclass
class Result:
    seed: Seed
    status: int | None = None
    seconds: float = 0
    happened: list[Disturbance] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
    dump: list[str] = dataclasses.field(default_factory=list)
    # Neo4j lost its database, and the survey said that it did not end well.
    lost_neo4j: bool = False

    def line(self) -> str:
        verdict = "the same graph" if self.status == 0 else "named what it could not see, healed"
        verdict = "reported a Neo4j that cannot recover" if self.lost_neo4j else verdict
        verdict = f"FAILED (status {self.status})" if self.problems else verdict
        said = ", ".join(map(str, self.happened))
        return f"seed {self.seed.number}: {verdict} after {self.seconds:.1f} s ({self.seed.scene}; {said})"


class Hung(Exception):
    """Something did not end within its bound; the message says what."""


class Bench:
    """The system and the graph that an undisturbed survey makes on it."""

    def __init__(self, system: System, aws: servers.aws.Aws, folder: Path) -> None:
        self.system, self.aws, self.folder = system, aws, folder
        folder_of_reference = folder / "reference"
        folder_of_reference.mkdir()
        system.begin(scene.Scene(), folder_of_reference)
        self.reference_seconds = 0
        status, self.reference_seconds, _ = self.survey((), FIRST)
        if status:
            raise servers.Failed(f"the undisturbed survey ended with status {status}: {system.last_words()}")
        self.reference = self.snapshot(folder_of_reference / "graph.json")

    def folder_of(self, seed: Seed) -> Path:
        return self.folder / f"seed-{seed.number}"

    def run(self, seed: Seed) -> Result:
        """Never raises for what the system does wrong."""
        result = Result(seed)
        began = time.monotonic()
        try:
            self.disturbed(seed, result)
        except (Hung, servers.Failed) as error:
            result.problems.append(str(error))
            result.dump = dump(self.system)
        result.seconds = result.seconds or time.monotonic() - began
        self.restore(result)
        return result

    def disturbed(self, seed: Seed, result: Result) -> None:
        folder = self.folder_of(seed)
        folder.mkdir()
        self.prepare(seed, folder)
        result.status, result.seconds, result.happened = self.survey(seed.disturbances, seed.bound, result)
        if result.status and self.system.neo4j_is_lost():
            result.lost_neo4j = True
            result.problems += judge.of_roles(self.system)
            return
        self.settle()
        graph = self.snapshot(folder / "disturbed.json")
        aws_may_be_away = any(it.disturb in OF_AWS for it in result.happened)
        result.problems += judge.of_status(
            self.system, result.status, self.reference, graph, seed.scene.before, aws_may_be_away
        )
        result.problems += judge.of_roles(self.system) + judge.of_parked(self.system)
        if result.status or seed.scene.versions:
            self.heal(seed, folder, result)

    def prepare(self, seed: Seed, folder: Path) -> None:
        """An empty graph, or that of a survey that has seen something which is gone by now."""
        self.system.end()
        parity.run_with_driver(parity.HERE / "wipe.py", self.system.neo4j, "--nodes")
        # The survey before is by collectors of one version, on links that are fast.
        self.system.begin(
            dataclasses.replace(seed.scene, versions=False, latency=0) if seed.scene.before else seed.scene, folder
        )
        if not seed.scene.before:
            return
        aws_key_pairs(self.aws, "create", seed.number)
        try:
            status, _, _ = self.survey((), UNDISTURBED)
        finally:
            aws_key_pairs(self.aws, "delete", seed.number)
        if status:
            raise servers.Failed(f"the survey before ended with status {status}: {self.system.last_words()}")
        self.system.adopt(seed.scene)

    def survey(
        self, disturbances: Iterable[Disturbance], bound: int, result: Result | None = None
    ) -> tuple[int, float, list[Disturbance]]:
        """Exit status of a survey, how long it took, and what happened meanwhile. Raises Hung."""
        bound += round(self.reference_seconds)
        timeline = Timeline(self.system, disturbances)
        if result:
            result.happened = timeline.happened
        self.system.start("scheduler")
        while True:
            timeline.step()
            status = self.system.scheduler_status()
            elapsed = time.monotonic() - timeline.began
            if status is not None:
                break
            if elapsed > bound:
                raise Hung(f"the survey has not ended after {bound} s")
            time.sleep(TICK)
        # What has begun is ended as it would have been.
        timeline.drop_what_has_not_begun()
        self.until("disturbances end", timeline.is_over, timeline.step)
        return status, elapsed, timeline.happened

    def settle(self) -> None:
        """Ends what is wrong, and waits for all servers and for other schedulers."""
        self.aws.control("faults", method="DELETE")
        self.until("servers come back", self.system.is_calm, self.system.calm)
        self.until("other schedulers end", lambda: not self.system.others_run(), self.system.come_back)

    def heal(self, seed: Seed, folder: Path, result: Result) -> None:
        """The next survey has to put all right, now that all collectors are of one version."""
        self.system.adopt(dataclasses.replace(seed.scene, versions=False))
        status, _, _ = self.survey((), UNDISTURBED)
        if status:
            words = self.system.last_words()
            result.problems.append(f"the survey afterwards ended with status {status}: {words}")
        healed = judge.differences(self.reference, self.snapshot(folder / "healed.json"))
        result.problems += [f"after another survey: {difference}" for difference in healed]

    def until(self, what: str, over: Callable[[], bool], step: Callable[[], None]) -> None:
        deadline = time.monotonic() + CALM
        while True:
            step()
            self.system.come_back()
            if over():
                return
            if time.monotonic() > deadline:
                raise Hung(f"{what}: not within {CALM} s")
            time.sleep(TICK)

    def restore(self, result: Result) -> None:
        """Whatever has happened, the next seed finds the servers well."""
        self.aws.control("faults", method="DELETE")
        with contextlib.suppress(servers.Failed):  # A server that ended is known, and each seed has others.
            self.system.calm()
        self.system.end()
        if result.lost_neo4j:
            self.system.renew_neo4j()
        elif not self.system.neo4j_writes():
            try:
                self.system.kill("neo4j", 0)
                self.until("Neo4j comes back", self.system.neo4j_writes, self.system.come_back)
            except (Hung, servers.Failed) as error:
                result.problems.append(f"{error}; the next seed gets a new one")
                self.system.renew_neo4j()

    def snapshot(self, output: Path) -> dict[str, Any]:
        parity.run_with_driver(parity.HERE / "snapshot.py", "--neo4j", self.system.neo4j, "--output", output)
        return compare.load(output)


def aws_key_pairs(aws: servers.aws.Aws, action: str, number: int) -> Any:
    command = [servers.python(), str(HERE / "key_pairs.py"), action, f"chaos-{number}"]
    done = subprocess.run(command, env=aws.environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise servers.Failed("the simulated AWS does not do as it is told")
    return json.loads(done.stdout)
