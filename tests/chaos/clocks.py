"""Clocks that jump: a library that is preloaded into a process and shifts its time of day."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "clock.c"


class Clocks:
    """The clocks of processes by name; without a C compiler `why_not` says so, and every clock is right."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder, "clocks")
        self.folder.mkdir(exist_ok=True)
        self.library = self.folder / "clock.so"
        self.why_not = self.build()

    def build(self) -> str | None:
        compiler = shutil.which("cc")
        if not compiler:
            return "no C compiler (cc)"
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(self.library), str(SOURCE), "-ldl"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return f"clock.c does not compile: {done.stdout.strip()[-200:]}" if done.returncode else None

    def environment(self, name: str) -> dict[str, str]:
        """What makes a process that is started with it live by the clock `name`."""
        if self.why_not:
            return {}
        if not self.file(name).exists():
            self.shift(name, 0)
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.file(name))}

    def shift(self, name: str, seconds: int) -> None:
        """From now on the clock is this far ahead, or behind when negative."""
        # In place: processes have it mapped.
        with open(self.file(name), "r+b" if self.file(name).exists() else "wb", buffering=0) as file:
            file.write(struct.pack("q", seconds))

    def right(self) -> None:
        """All clocks show the real time again."""
        for file in self.folder.glob("*.clock"):
            self.shift(file.stem, 0)

    def state(self) -> list[str]:
        """A line for each clock that is wrong."""
        shifts = {file.stem: struct.unpack("q", file.read_bytes())[0] for file in self.folder.glob("*.clock")}
        return [f"{name}: {seconds:+} s" for name, seconds in sorted(shifts.items()) if seconds]

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.clock"
