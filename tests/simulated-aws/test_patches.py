"""What this package replaces in moto is there, and has the form that the replacements expect."""

import ast
import importlib.metadata
import unittest
from pathlib import Path

from simulated_aws import patches

PACKAGE = Path(patches.__file__).parent
# Top-level packages whose attributes are replaced by `patches.replace` alone.
FOREIGN = ("botocore", "moto", "werkzeug")


class Patches(unittest.TestCase):
    def test_every_attribute_is_as_the_pinned_version_has_it(self) -> None:
        version = importlib.metadata.version("moto")
        for module, name, form, purpose in (*patches.REPLACED, *patches.USED):
            with self.subTest(f"{module}.{name}"):
                there = patches.form_of(patches.found(module, name))
                told = (
                    f"moto {version} has {module}.{name} as {there}, and tests/simulated-aws expects {form}: {purpose}"
                )
                self.assertEqual(there, form, told)

    def test_nothing_is_replaced_that_is_not_listed(self) -> None:
        with self.assertRaises(KeyError):
            patches.replace(importlib.import_module("moto.core.utils"), "unix_time", None)

    def test_moto_is_changed_by_replace_alone(self) -> None:
        for file in sorted(PACKAGE.glob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            names = foreign_names(tree)
            changed = [target for target in assigned(tree) if root_of(target) in names]
            self.assertEqual([ast.unparse(target) for target in changed], [], f"{file.name}: use patches.replace")

    def test_every_private_name_that_is_used_is_listed(self) -> None:
        listed = {name.rpartition(".")[2] for _, name, *_ in (*patches.REPLACED, *patches.USED)}
        for file in sorted(PACKAGE.glob("*.py")):
            used = private_names(ast.parse(file.read_text(encoding="utf-8")))
            self.assertEqual(
                sorted(used - listed - ATTRIBUTES_OF_OBJECTS), [], f"{file.name}: list them in patches.USED"
            )


# Set by `ResponseSerializer.__init__`, so no class has them.
ATTRIBUTES_OF_OBJECTS = {"_value_picker"}


def foreign_names(tree: ast.AST) -> set[str]:
    """Names that imports bind to something of moto, botocore or werkzeug."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            of_modules = ((alias.name, alias.asname or alias.name.partition(".")[0]) for alias in node.names)
            names |= {bound for module, bound in of_modules if module.partition(".")[0] in FOREIGN}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FOREIGN:
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def assigned(tree: ast.AST) -> list[ast.Attribute]:
    """Attributes that statements assign to."""
    assignments = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    return [target for node in assignments for target in node.targets if isinstance(target, ast.Attribute)]


def root_of(target: ast.expr) -> str:
    """`moto` of `moto.core.utils.utcnow`."""
    while isinstance(target, ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def private_names(tree: ast.AST) -> set[str]:
    """Attributes with a leading underscore, but not of an object's own class, and no special names."""
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    names = {node.attr for node in attributes if root_of(node) not in ("self", "cls")}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


if __name__ == "__main__":
    unittest.main()
