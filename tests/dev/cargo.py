"""Programs that cargo builds."""

from __future__ import annotations

import json
import subprocess

from servers import ROOT, Failed


def build_groma(*options: str) -> str:
    """Builds the program and returns its path, which cargo knows best: a target directory can be set in several places."""
    command = ["cargo", "build", "--locked", "--bin", "groma", "--message-format=json-render-diagnostics", *options]
    try:
        build = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError as error:
        raise Failed("cargo is not on the PATH: install Rust (rustup)") from error
    if build.returncode:
        raise Failed("the build failed")
    for line in build.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "groma" and message.get("executable"):
            return message["executable"]
    raise Failed("cargo built no groma")
