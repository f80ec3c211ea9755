"""Organizations of many accounts whose AWS answers from memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from seeding import accounts

if TYPE_CHECKING:
    from bench import Recorded

if TYPE_CHECKING:
    import servers

REGIONS = "us-east-1,us-east-2,us-west-2,eu-west-1"


@contextlib.contextmanager
def many_accounts(simulated: servers.aws.Aws, folder: Path, count: int) -> Iterator[Recorded]:
    """The AWS from memory, with a profile for each account."""
    role = "arn:aws:iam::{}:role/cartography-read-only"
    config = folder / "many.config"
    profile = "[profile a{0:02}]\nrole_arn = {1}\nsource_profile = hub\nregion = us-east-1\n"
    lines = [profile.format(number, role.format(500000000000 + number)) for number in range(count)]
    config.write_text(hub_profile(simulated) + "".join(lines), encoding="utf-8")
    options = ["--template", accounts.ALPHA, "--role-arn", role.format(accounts.ALPHA)]
    with bench.from_memory("many_accounts.py", simulated, folder, *options) as endpoint:
        yield bench.Recorded(endpoint, {**simulated.environment, "AWS_CONFIG_FILE": str(config)})


def hub_profile(simulated: servers.aws.Aws) -> str:
    """Of the simulated organization's own configuration, all but the spokes."""
    text = Path(simulated.environment["AWS_CONFIG_FILE"]).read_text(encoding="utf-8")
    parts = [f"[{part}" for part in text.split("[") if part.strip()]
    return "".join(part for part in parts if "role_arn" not in part)
