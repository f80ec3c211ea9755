#!/usr/bin/env python3
"""A cargo for maturin that compiles nothing anew: it reports the `groma` of the workspace's tests.

maturin builds one package. Without the others, cargo chooses other features for shared dependencies and compiles most of them
again, which takes minutes. All other commands go to cargo as they are.

    GROMA_CARGO         path of cargo
    GROMA_ENVIRONMENT   the tests' environment, as JSON: other flags of the compiler would build everything anew
    GROMA_PROGRAM       file for the program without its symbols, which are nine tenths of it
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

TESTS = ["test", "--workspace", "--locked", "--no-run", "--message-format=json-render-diagnostics"]


def main() -> int:
    cargo = os.environ["GROMA_CARGO"]
    if sys.argv[1:2] != ["rustc"]:
        os.execv(cargo, [cargo, *sys.argv[1:]])
    environment = json.loads(os.environ["GROMA_ENVIRONMENT"])
    built = subprocess.run([cargo, *TESTS], stdout=subprocess.PIPE, text=True, env=environment, check=False)
    for message in map(json.loads, built.stdout.splitlines()):
        if is_program(message):
            strip(message)
            print(json.dumps(message))
    return built.returncode


def strip(message: dict) -> None:
    program = os.environ["GROMA_PROGRAM"]
    if message.get("executable"):
        subprocess.run(["strip", "-o", program, message["executable"]], check=True)
        message["executable"], message["filenames"] = program, [program]


def is_program(message: dict) -> bool:
    """Whether it is the program itself, not a test or another part, or the end of the build."""
    if message["reason"] == "build-finished":
        return True
    if message["reason"] != "compiler-artifact" or message["profile"]["test"]:
        return False
    return message["target"]["kind"] == ["bin"] and message["target"]["name"] == "groma"


if __name__ == "__main__":
    sys.exit(main())
