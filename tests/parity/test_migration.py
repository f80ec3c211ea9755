"""docs/migration.md: every setting of Cartography, only flags that Groma has, and the catalog's modules."""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dev"))

import catalog
import install_cartography
from provision import Missing

ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "migration.md"
COMMAND_LINE = ROOT / "docs" / "command-line.md"
SETTINGS = HERE / "cartography_settings.txt"
# Panels of Cartography's help whose flags an AWS sync can have.
PANELS = ("PANEL_CORE", "PANEL_NEO4J", "PANEL_AWS", "PANEL_STATSD", "PANEL_ANALYSIS")
# By the analysis of each sync, not by a service.
ANALYSIS = {"permission_relationships"}


def settings() -> tuple[set[str], set[str], set[str]]:
    """Flags, environment variables and modules of Cartography."""
    lines = [line for line in SETTINGS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    flags = {line for line in lines if line.startswith("--")}
    variables = {line for line in lines if line.isupper()}
    return flags, variables, set(lines) - flags - variables


def section(title: str) -> str:
    return PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Cells of a table's rows, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def of_package(package: Path) -> tuple[set[str], set[str], set[str]]:
    """Flags, environment variables and modules that an installed Cartography has."""
    options = re.findall(r"typer\.Option\((.*?)rich_help_panel=(PANEL_\w+)", read(package / "cli.py"), re.DOTALL)
    named = [body for body, panel in options if panel in PANELS]
    flags = {flag for body in named for flag in re.findall(r'^\s+"(--[a-z0-9-]+)",$', body, re.MULTILINE)}
    aws = package / "intel" / "aws"
    clients, ingestion = read(aws / "util" / "botocore_config.py"), read(aws / "__init__.py")
    variables = {*re.findall(r'ENV_VAR = "(\w+)"', clients), *re.findall(r'getenv\("(\w+)"\)', ingestion)}
    modules = set(re.findall(r'^        "([a-z0-9_:]+)": ', read(aws / "resources.py"), re.MULTILINE))
    return flags, variables, modules


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class Migration(unittest.TestCase):
    def test_every_flag_and_variable_of_cartography_has_a_row(self) -> None:
        flags, variables, _ = settings()
        self.assertEqual({it for row in rows(section("Flags")) for it in code(row[0])}, flags)
        self.assertEqual({it for row in rows(section("Environment variables")) for it in code(row[0])}, variables)

    def test_every_module_is_surveyed_or_named_as_missing(self) -> None:
        _, _, modules = settings()
        text = section("Modules")
        table = {row[1].strip("`"): set(code(row[0])) for row in rows(text)}
        services = {
            service["name"]: set(service["cartography"]) for service in catalog.services() if "cartography" in service
        }
        self.assertEqual({name: found for name, found in table.items() if found != ANALYSIS}, services)
        surveyed = set().union(*table.values())
        missing = code(text.partition("Groma does not survey: ")[2])
        self.assertEqual(len(missing), len(set(missing)))
        self.assertEqual((surveyed | set(missing), surveyed & set(missing)), (modules, set()))

    def test_groma_has_every_flag_and_variable_that_is_named_as_its_own(self) -> None:
        known = COMMAND_LINE.read_text(encoding="utf-8")
        cells = [row[1] for row in rows(section("Flags"))]
        rest = PAGE.read_text(encoding="utf-8").replace(section("Flags"), "")
        words = [word for span in code("\n".join(cells) + rest) for word in span.split()]
        words += [word for block in re.findall(r"```sh\n(.*?)```", rest, re.DOTALL) for word in block.split()]
        named = {word for word in words if word.startswith("--") and word != "--aws-requested-syncs"}
        self.assertGreater(len(named), 15)
        self.assertEqual(named - set(re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", known, re.MULTILINE)), set())
        variables = {word for word in words if re.fullmatch(r"(GROMA|NEO4J|NATS)_\w+", word)}
        self.assertEqual(variables - set(re.findall(r"\[env: (\w+)\]", known)), set())

    def test_links_lead_to_pages_and_sections(self) -> None:
        for link in re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8")):
            if link.startswith("https://"):
                continue
            file, _, anchor = link.partition("#")
            target = (PAGE.parent / file).resolve() if file else PAGE
            self.assertTrue(target.exists(), link)
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            self.assertIn(anchor, anchors | {""}, link)

    def test_the_list_of_settings_is_that_of_the_package(self) -> None:
        try:
            install_cartography.install()
        except Missing as error:
            print(f"left out: settings of the installed Cartography: {error}", flush=True)
            self.skipTest(str(error))
        (package,) = install_cartography.HOME.glob("lib/python*/site-packages/cartography")
        self.assertEqual(of_package(package), settings())


if __name__ == "__main__":
    unittest.main()
