"""Sources of promtool, without a build."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import promtool
import provision
from provision import Missing


class Promtool(unittest.TestCase):
    def setUp(self) -> None:
        held = contextlib.ExitStack()
        self.addCleanup(held.close)
        self.folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        held.enter_context(mock.patch.dict(os.environ, {"PATH": str(self.folder / "path")}))
        os.environ.pop("GROMA_PROMTOOL", None)
        held.enter_context(mock.patch.object(provision, "TOOLS", self.folder / ".tools"))
        held.enter_context(mock.patch.object(promtool, "PROGRAM", self.folder / ".tools" / "promtool"))

    def program(self, name: str, text: str = "") -> str:
        program = self.folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        program.chmod(0o755)
        return str(program)

    def test_what_the_user_has_is_not_built(self) -> None:
        on_path = self.program("path/promtool")
        self.assertEqual(promtool.find(), on_path)
        os.environ["GROMA_PROMTOOL"] = self.program("own")
        self.assertEqual(promtool.find(), os.environ["GROMA_PROMTOOL"])
        os.environ["GROMA_PROMTOOL"] = "/nowhere"
        with self.assertRaisesRegex(Missing, "GROMA_PROMTOOL is /nowhere"):
            promtool.find()

    def test_a_build_is_found_and_a_second_run_builds_nothing(self) -> None:
        with self.assertRaisesRegex(Missing, "just promtool"):
            promtool.find()
        built = self.program(".tools/promtool")
        self.assertEqual(promtool.find(), built)
        with mock.patch.object(promtool, "build", side_effect=AssertionError("it builds again")):
            self.assertEqual(promtool.main(), 0)

    def test_an_old_go_is_not_used(self) -> None:
        for version, used in (("go1.26.7", True), ("go1.27", True), ("go1.26.6", False), ("go1.9", False), ("", False)):
            go = self.program("path/go", f"echo '{version}'")
            with self.subTest(version), mock.patch.object(promtool.GO.__class__, "install") as install:
                self.assertEqual(promtool.find_go() == go, used)
                self.assertEqual(install.called, not used)

    def test_another_module_of_this_name_is_refused(self) -> None:
        go = self.program("go", f"echo '{json.dumps({'Dir': str(self.folder), 'Sum': 'h1:other'})}'")
        with self.assertRaisesRegex(Missing, "has the checksum h1:other instead of h1:f1G"):
            promtool.download(go)

    def test_a_failing_download_is_one_sentence(self) -> None:
        go = self.program("go", "echo 'dial tcp: no route to host' >&2; exit 1")
        with self.assertRaisesRegex(Missing, "is there a network.*no route to host"):
            promtool.download(go)


if __name__ == "__main__":
    unittest.main()
