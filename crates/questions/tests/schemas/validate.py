"""Checks JSON files against a JSON schema: `validate.py SCHEMA FILE…`. Prints each problem, and exits with 1 if there is one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jsonschema.validators import validator_for


def main(schema_path: str, *paths: str) -> int:
    schema = json.loads(Path(schema_path).read_text("utf-8"))
    # The schema names its draft.
    validator = validator_for(schema)
    validator.check_schema(schema)
    checker = validator(schema, format_checker=validator.FORMAT_CHECKER)
    problems = 0
    for path in paths:
        document = json.loads(Path(path).read_text("utf-8"))
        for error in checker.iter_errors(document):
            print(f"{path}: {error.json_path}: {error.message[:300]}", file=sys.stderr)
            problems += 1
    return min(problems, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
