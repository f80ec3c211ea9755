"""What botocore makes of AWS config files: `botocore_profiles.py CASES`.

CASES is a JSON file: a list of objects with `config` and `credentials` (texts, or null for no file) and `env`. Prints a list of
the same length: for each case either `error`, or `profiles`, `sso_sessions` and `services` as botocore's session has them.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import botocore.exceptions
import botocore.session


def read(case, folder):
    names = {"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"}
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for part, variable in names.items():
        path = folder / part
        path.unlink(missing_ok=True)
        if case[part] is not None:
            path.write_bytes(case[part].encode())
        os.environ[variable] = str(path)
    os.environ.update(case.get("env", {}))
    try:
        config = botocore.session.Session().full_config
    except botocore.exceptions.BotoCoreError as error:
        return {"error": type(error).__name__}
    return {part: config.get(part, {}) for part in ("profiles", "sso_sessions", "services")}


def main():
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps([read(case, Path(folder)) for case in cases]))


if __name__ == "__main__":
    main()
