"""What botocore makes of settings of profile `p`: `botocore_settings.py CASES FOLDER`.

CASES is a JSON list of objects with `config` (text of the config file) and `env`. FOLDER takes the file. Prints a list of the
same length, with the settings of a client of STS, or null where botocore makes none.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session

Json = dict[str, Any]

ENVIRONMENT = dict(os.environ)


def settings() -> Json:
    session = botocore.session.Session(profile="p", include_builtin_handlers=False)
    client = session.create_client("sts", region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="S")
    config, endpoint = client.meta.config, client._endpoint.host
    return {
        "fips": bool(config.use_fips_endpoint),
        "dual_stack": bool(config.use_dualstack_endpoint),
        "endpoint": "" if "amazonaws" in endpoint or ".aws" in endpoint else endpoint,
        "attempts": config.retries.get("total_max_attempts", 0),
        "mode": config.retries["mode"],
    }


def read(case: Json, folder: Path) -> Json | None:
    path = folder / "config"
    path.write_text(case["config"], encoding="utf-8")
    os.environ.clear()
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if not name.startswith("AWS_")})
    os.environ.update({"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", **case["env"]})
    try:
        return settings()
    # The attribute is that of a service whose endpoint is a text.
    except (AttributeError, ValueError, botocore.exceptions.BotoCoreError):
        return None


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps([read(case, Path(sys.argv[2])) for case in cases]))


if __name__ == "__main__":
    main()
