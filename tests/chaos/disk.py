"""A disk of limited size that can be filled and freed again: a small tmpfs."""

from __future__ import annotations

import contextlib
import errno
import subprocess
import time
from pathlib import Path

# A Neo4j of the small organization takes a third of it.
MEGABYTES = 768
CHUNK = bytes(1 << 20)


class Disk:
    """A folder on a separate file system. If mounting is not permitted, it is a plain folder, and `why_not` has the reason."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.ballast = folder / "ballast"
        # When it was full last.
        self.freed_at = float("-inf")
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "groma-chaos", str(folder)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.why_not = f"a tmpfs may not be mounted: {done.stdout.strip()}" if done.returncode else None
        except FileNotFoundError:
            self.why_not = "a tmpfs cannot be mounted: no mount program"

    def fill(self) -> None:
        """Takes all the space that is left."""
        assert not self.why_not, "it would fill the disk of the machine"
        with open(self.ballast, "ab", buffering=0) as file:
            size = len(CHUNK)
            while size:
                try:
                    size = size if file.write(CHUNK[:size]) else 0
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self) -> None:
        """Gives it back."""
        with contextlib.suppress(FileNotFoundError):
            self.ballast.unlink()
            self.freed_at = time.monotonic()

    def full(self) -> bool:
        return self.ballast.exists()

    def was_full_since(self, moment: float) -> bool:
        return self.full() or self.freed_at >= moment

    def close(self) -> None:
        """Unmounts it; what used it must have ended."""
        if not self.why_not:
            # Lazily, in case a process is slow to end.
            subprocess.run(["umount", "--lazy", str(self.folder)], stderr=subprocess.DEVNULL, check=False)
