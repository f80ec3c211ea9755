#!/usr/bin/env python3
"""Installs the chart into a real kube-apiserver on 127.0.0.1, without nodes: `just kubernetes`.

The first run builds kube-apiserver and etcd, which takes minutes. Each run then runs the tests of this folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import programs
import provision
import servers
from provision import Missing


def main() -> int:
    try:
        provision.provision(provision.wanted())
        for name in ("helm", "kubectl"):
            if servers.tools.found(name) is None:
                raise Missing(f"{name} is not on the PATH: install it")
        programs.build()
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    command = [servers.python(), "-m", "unittest", "discover", "--start-directory", str(HERE)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
