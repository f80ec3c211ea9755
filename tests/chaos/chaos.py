#!/usr/bin/env python3
"""Disturbs surveys in every way that we know of, and compares what becomes of the graph: `just chaos`.

    chaos.py [--seeds N] [--first SEED] [--keep DIR] [--groma PATH]

All roles run as processes of their own on a real nats-server, a real Neo4j and a simulated AWS. First one survey runs
undisturbed. Then, for each seed, a survey runs while, at moments and in an order that the seed gives, roles, nats-server
and Neo4j are killed with SIGKILL and started again, AWS answers with errors, throttles, resets connections and hangs, and
messages are put into the stream again, out of order. Every other seed begins with an empty graph; the others with the
graph of an earlier survey, from which something has since been deleted in AWS.

A disturbed survey that calls itself complete must have left the graph of the undisturbed one. One that could not see
something must say so, must have removed nothing that exists, and the next survey must put all right.

Exit status 0 when every seed ended so, 1 when one did not, 2 when nothing could be tried.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import compare  # noqa: E402
import parity  # noqa: E402
import servers  # noqa: E402
from disturbances import plan  # noqa: E402
from system import System  # noqa: E402

# A survey of the small organization takes some ten seconds; killed roles and back-offs make it several times longer.
PATIENCE = 300


def main():
    arguments = parse_arguments()
    try:
        with parity.prepared(arguments.groma, "chaos") as (groma, folder):
            return Chaos(arguments, groma, folder).run()
    except (servers.Failed, parity.provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments():
    parser = argparse.ArgumentParser(description="Disturbs surveys and compares what becomes of the graph.")
    parser.add_argument("--seeds", type=int, default=50, metavar="N", help="how many disturbed surveys")
    parser.add_argument("--first", type=int, default=1, metavar="SEED", help="the first one's seed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs and graphs of failed seeds here")
    parser.add_argument("--groma", help="the program; without it, it is built")
    return parser.parse_args()


class Chaos:
    def __init__(self, arguments, groma, folder):
        self.arguments = arguments
        self.groma = groma
        self.folder = folder

    def run(self):
        with servers.aws(self.folder) as aws:
            aws.seed("small", self.folder / "organization")
            with System(self.groma, aws, self.folder) as system:
                status, seconds = self.survey(system)
                if status:
                    raise servers.Failed(f"the undisturbed survey ended with status {status}: {system.last_words()}")
                reference = self.snapshot(system, "reference")
                print(f"undisturbed: {seconds:.1f} s, {len(reference['nodes'])} nodes", flush=True)
                seeds = range(self.arguments.first, self.arguments.first + self.arguments.seeds)
                failed = [seed for seed in seeds if not self.seed(system, aws, reference, seed)]
        print(f"{len(seeds) - len(failed)} of {len(seeds)} seeds ended well" + (f"; not {failed}" if failed else ""))
        return 1 if failed else 0

    def seed(self, system, aws, reference, seed):
        draw = random.Random(seed)
        if seed % 2:
            # Something that an earlier survey has seen, and that is gone by now.
            planted = aws_key_pairs(aws, "create", seed)
            status, _ = self.survey(system)
            aws_key_pairs(aws, "delete", seed)
            if status:
                return self.failed(seed, system, [f"the survey before ended with status {status}"])
        else:
            planted = []
            parity.run_with_driver(parity.HERE / "wipe.py", system.neo4j, "--nodes")
        disturbances = plan(draw)
        status, seconds = self.survey(system, disturbances)
        aws.control("faults", method="DELETE")
        system.revive()
        problems, verdict = self.judge(system, reference, seed, status, planted)
        # The survey may have ended before the last of them.
        said = ", ".join(f"{at:.1f} s {disturb.__name__}" for at, disturb, _ in disturbances if at < seconds)
        print(f"seed {seed}: {'FAILED' if problems else verdict} after {seconds:.1f} s ({said})", flush=True)
        return self.failed(seed, system, problems) if problems else True

    def survey(self, system, disturbances=()):
        """Exit status of a survey, and how long it took. When the scheduler was killed, it begins another."""
        started = time.monotonic()
        waiting = list(disturbances)
        system.start("scheduler")
        while True:
            elapsed = time.monotonic() - started
            if waiting and elapsed >= waiting[0][0]:
                _, disturb, draw = waiting.pop(0)
                disturb(system, draw)
            status = system.scheduler_status()
            if status is not None:
                return status, time.monotonic() - started
            if elapsed > PATIENCE:
                return "none", elapsed
            time.sleep(0.05)

    def judge(self, system, reference, seed, status, planted):
        """What is wrong, if anything, and how the survey ended."""
        graph = self.snapshot(system, f"seed-{seed}")
        differences = compare.compare(reference, graph).differences
        if status == 0:
            return [str(difference) for difference in differences], "the same graph"
        if status != 3:
            return [f"the survey ended with status {status}: {system.last_words()}"], ""
        problems = []
        if seed % 2:
            lost = [name for name in reference["nodes"] if name not in graph["nodes"]]
            problems = [f"lost though it exists: {name}" for name in lost]
        again, _ = self.survey(system)
        if again:
            problems.append(f"the survey afterwards ended with status {again}")
        healed = compare.compare(reference, self.snapshot(system, f"seed-{seed}-healed")).differences
        problems += [f"after another survey: {difference}" for difference in healed]
        return problems, f"reported what it could not see ({len(differences)} differences, {len(planted)} planted), healed"

    def failed(self, seed, system, problems):
        for problem in problems[:10]:
            print(f"  seed {seed}: {problem}", flush=True)
        if self.arguments.keep:
            kept = self.arguments.keep / f"seed-{seed}"
            kept.mkdir(parents=True, exist_ok=True)
            for path in [*self.folder.glob("*.log"), *self.folder.glob(f"seed-{seed}*.json")]:
                shutil.copy(path, kept)
        return False

    def snapshot(self, system, name):
        output = self.folder / f"{name}.json"
        parity.run_with_driver(parity.HERE / "snapshot.py", "--neo4j", system.neo4j, "--output", output)
        return compare.load(output)


def aws_key_pairs(aws, action, seed):
    command = [servers.python(), str(HERE / "key_pairs.py"), action, f"chaos-{seed}"]
    done = subprocess.run(command, env=aws.environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise servers.Failed("the simulated AWS does not do as it is told")
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
