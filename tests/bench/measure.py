"""Runs a program and says what it took: seconds, processor time and memory, its children included."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import subprocess
import threading
import time
from pathlib import Path

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
INTERVAL = 0.05
# Looking for new processes takes longer than looking at the known ones.
SIZES_PER_SEARCH = 5
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The program did not end well; the message has the end of what it said."""


@dataclasses.dataclass
class Taken:
    seconds: float
    # Processor time of the program and of everything that it started.
    cpu: float
    # Of that, what it took in other processes than its first: in a private nats-server.
    servers_cpu: float
    # Sum of the largest resident sizes of all its processes.
    megabytes: float
    # Of that, what was another process's than its first.
    servers_megabytes: float


def adopt_orphans() -> None:
    """From now on what a child leaves running is this process's child when it ends, so that its times can be read."""
    if ctypes.CDLL(None, use_errno=True).prctl(SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def run(command: list[str], environment: dict[str, str] | None, log: Path) -> Taken:
    """What the program took; it has to end with status 0."""
    others = set(children(os.getpid()))
    with open(log, "wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        watch = Watch(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    left = reap(set(children(os.getpid())) - others)
    watch.stop()
    if process.returncode:
        end = Path(log).read_text(encoding="utf-8", errors="replace").strip()[-1500:]
        raise Failed(f"{command[0]} ended with status {process.returncode}: {end}")
    # Of the program and of what it has waited for.
    own = used.ru_utime + used.ru_stime
    return Taken(
        seconds, own + left, watch.others(watch.cpu), sum(watch.megabytes.values()), watch.others(watch.megabytes)
    )


def reap(orphans: set[int]) -> float:
    """Processor time of what the program left behind, waited for until it ends too."""
    used = 0.0
    for pid in orphans:
        _, _, usage = os.wait4(pid, 0)
        used += usage.ru_utime + usage.ru_stime
    return used


class Watch:
    """Looks at a process and its descendants several times a second; the system sums up for each until it ends."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        # By process.
        self.megabytes = {}
        self.cpu = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self) -> None:
        family, looks = [self.pid], 0
        while not self.ended.wait(INTERVAL):
            if looks % SIZES_PER_SEARCH == 0:
                family = descendants(self.pid)
            looks += 1
            for pid in family:
                self.see(pid)

    def see(self, pid: int) -> None:
        with contextlib.suppress(OSError):  # it has ended since
            self.cpu[pid] = cpu_seconds(pid)
            self.megabytes[pid] = max(self.megabytes.get(pid, 0), largest_kilobytes(pid) / 1024)

    def stop(self) -> None:
        self.ended.set()
        self.thread.join()

    def others(self, by_process: dict[int, float]) -> float:
        """Of all processes but the first."""
        return sum(number for pid, number in by_process.items() if pid != self.pid)


def descendants(pid: int) -> list[int]:
    parents = all_parents()
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def children(pid: int) -> list[int]:
    return [child for child, parent in all_parents().items() if parent == pid]


def all_parents() -> dict[int, int]:
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found[int(pid)] = int(stat(pid)[1])
        except OSError:
            continue  # it has ended since
    return found


def stat(pid: int | str) -> list[str]:
    """What follows the name in `/proc/PID/stat`: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def largest_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def cpu_seconds(pid: int) -> float:
    """Of a process that runs, all its threads."""
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS
