"""What `scale.py --places` measures: a survey of every service in many accounts and regions, most of them nearly empty."""

from __future__ import annotations

from pathlib import Path

import many_places
import memory_parts
import report
import servers

# Regions that every account has, unless it opts out (`regions::ALWAYS_ENABLED`).
REGIONS = (
    "ap-northeast-1,ap-northeast-2,ap-northeast-3,ap-south-1,ap-southeast-1,ap-southeast-2,ca-central-1,eu-central-1,"
    "eu-north-1,eu-west-1,eu-west-2,eu-west-3,sa-east-1,us-east-1,us-east-2,us-west-1,us-west-2"
)


def measure(accounts: int, groma: str, folder: Path) -> str:
    """A table with one row: the time of the survey and the memory of each role."""
    with servers.aws.running(folder) as simulated:
        simulated.seed("small", folder / "organization")
        with many_places.many_accounts(simulated, folder, accounts) as aws:
            aws.reset(0)
            sizes = memory_parts.sizes(groma, aws, folder, ["--regions", REGIONS])
            calls = aws.counts()["calls"]
    head = ("accounts", "regions", *memory_parts.COLUMNS, "survey", "AWS calls")
    row = (f"{accounts:,}", str(len(REGIONS.split(","))), *sizes, f"{calls:,}")
    return report.drawn([head, row])
