"""Separate Python environments in `.tools/`, for packages that conflict with moto's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import provision
from servers.tools import TOOLS


@dataclasses.dataclass(frozen=True)
class Environment:
    """An environment that is installed once, and again when its packages change."""

    name: str
    title: str
    # Arguments of `pip install`.
    packages: tuple[str, ...]
    # All that decides what is installed.
    stamp: str

    @property
    def home(self) -> Path:
        return TOOLS / self.name

    @property
    def python(self) -> Path:
        return self.home / "bin" / "python"

    def install(self) -> None:
        """Does nothing the second time. Raises Missing if it cannot be installed."""
        if self.is_current():
            return
        with provision.only_one():
            if self.is_current():
                return
            with provision.step(f"{self.title} from PyPI"):
                # From nothing each time, so that no package of an older list stays.
                venv = [provision.suitable_python(), "-m", "venv", "--clear", str(self.home)]
                provision.run(f"{self.name}-venv", venv, provision.no_venv)
                pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
                provision.run(f"{self.name}-pip", [*pip, *self.packages], provision.no_package)
            self.stamp_file.write_text(self.stamp, encoding="utf-8")

    def is_current(self) -> bool:
        stamp = self.stamp_file
        return self.python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == self.stamp

    @property
    def stamp_file(self) -> Path:
        return self.home / "packages.txt"
