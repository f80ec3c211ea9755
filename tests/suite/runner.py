"""Runs steps side by side, each in a separate process group that ends with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from results import Report
    from steps import Step

# Seconds that a step has to end what it started.
POLITE = 15


@dataclasses.dataclass
class Ended:
    step: Step
    # Exit status, or why there is none.
    status: int | str
    seconds: float
    output: str


class Runner:
    def __init__(self, jobs: int, report: Report) -> None:
        self.jobs, self.report = jobs, report
        self.running = set()
        self.stopped = False
        self.lock = threading.Lock()

    def run(self, steps: Iterable[Step]) -> None:
        waiting = queue.SimpleQueue()
        for step in steps:
            waiting.put(step)
        workers = [threading.Thread(target=self.work, args=(waiting,), daemon=True) for _ in range(self.jobs)]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        finally:
            self.end_all()

    def work(self, waiting: queue.SimpleQueue[Step]) -> None:
        with contextlib.suppress(queue.Empty):
            while not self.stopped:
                self.one(waiting.get_nowait())

    def one(self, step: Step) -> None:
        path = self.report.path(step.name)
        began = time.monotonic()
        with open(path, "wb") as output:
            try:
                status = self.wait(step, output)
            except OSError as error:
                status = f"it could not be started: {error}"
        text = path.read_text(encoding="utf-8", errors="replace")
        self.report.ended(Ended(step, status, time.monotonic() - began, text))

    def wait(self, step: Step, output: BinaryIO) -> int | str:
        """Its exit status, or why it has none."""
        process = subprocess.Popen(
            step.command,
            cwd=step.folder,
            env={**os.environ, **step.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        with self.lock:
            self.running.add(process)
        try:
            return process.wait(timeout=step.seconds)
        except subprocess.TimeoutExpired:
            end(process)
            return f"it did not end within {step.seconds} s"
        finally:
            with self.lock:
                self.running.discard(process)

    def end_all(self) -> None:
        self.stopped = True
        with self.lock:
            left = list(self.running)
        for process in left:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Politely first: a step ends what it has started when it has the time to."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=POLITE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
