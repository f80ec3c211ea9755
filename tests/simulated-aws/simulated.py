"""A simulated AWS in a separate process, for tests."""

from __future__ import annotations

import configparser
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from seeding.aws import S3_CONTROL

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import servers


@contextlib.contextmanager
def server() -> Iterator[servers.aws.Aws]:
    """Ends with the block, or with this process."""
    with tempfile.TemporaryDirectory(prefix="groma-moto-") as folder, servers.aws.running(Path(folder)) as aws:
        yield aws


def client(endpoint: str, service: str, key: dict[str, str], region: str = "us-east-1") -> Any:
    """A client with real credentials: its calls are counted, refused and cut as any caller's."""
    config = Config(retries={"total_max_attempts": 1})
    if service == "s3control":
        endpoint, config = S3_CONTROL, config.merge(Config(proxies={"http": endpoint}))
    return botocore.session.Session().create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=config,
    )


def organization(aws: servers.aws.Aws, size: str, folder: str | Path) -> dict[str, str]:
    """Fills it as a user would; the keys of the hub's user."""
    aws.seed(size, Path(folder))
    credentials = configparser.ConfigParser()
    credentials.read(Path(folder, "credentials"))
    hub = credentials["hub"]
    return {"AccessKeyId": hub["aws_access_key_id"], "SecretAccessKey": hub["aws_secret_access_key"]}
