"""What botocore makes of the `Expiration` that a credential_process prints: `botocore_expirations.py TEXTS`.

TEXTS is a JSON list of texts. Prints a list of the same length: seconds since 1970, or null where botocore cannot use the text.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

from botocore.credentials import ProcessProvider


class Printed:
    """A process that prints credentials."""

    returncode = 0

    def __init__(self, expiration: str) -> None:
        self.printed = {"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S", "Expiration": expiration}

    def communicate(self) -> tuple[bytes, bytes]:
        return json.dumps(self.printed).encode(), b""


def end(text: str) -> int | None:
    config = {"profiles": {"p": {"credential_process": "x"}}}
    run: Any = lambda *_, **__: Printed(text)  # noqa: E731  an argument would have to be a subclass of Popen
    provider = ProcessProvider("p", lambda: config, popen=run)
    try:
        credentials: Any = provider.load()
        credentials._seconds_remaining()
        return int(credentials._expiry_time.timestamp() // 1)
    except Exception:
        return None


def main() -> None:
    warnings.simplefilter("ignore")
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps([end(text) for text in json.load(file)]))


if __name__ == "__main__":
    main()
