"""boto3 clients that act in any account of the simulated AWS, and its controls."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.request
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

# A proxy, which HTTP_PROXY may name, has no business between processes of this machine.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


# S3 Control has the account in the host name, which the address of the simulated AWS cannot have. So its calls name a host
# that does not exist, and the simulated AWS is their proxy.
S3_CONTROL = "http://s3-control.simulated"


class Aws:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.clients: list[Any] = []
        self.session = botocore.session.Session()
        self.session.set_config_variable("region", "us-east-1")
        self.config = Config(
            parameter_validation=False, retries={"total_max_attempts": 1}, max_pool_connections=2, read_timeout=120
        )

    @cache  # noqa: B019  there is one in each process, and it lives as long
    def client(self, service: str, account: str, region: str = "us-east-1") -> Any:
        """A client whose calls moto takes as calls of this account, whatever the keys."""
        client = self.session.create_client(
            service,
            region_name=region,
            endpoint_url=S3_CONTROL if service == "s3control" else self.endpoint,
            aws_access_key_id="seeding",
            aws_secret_access_key="seeding",
            config=self.config.merge(Config(proxies={"http": self.endpoint}))
            if service == "s3control"
            else self.config,
        )
        client.meta.events.register(
            "before-sign", lambda request, **_: request.headers.add_header("x-moto-account-id", account)
        )
        self.clients.append(client)
        return client

    def close(self) -> None:
        """Ends the connections of all clients, which keep them open."""
        for client in self.clients:
            client.close()

    def control(self, path: str, body: object = None, method: str = "POST") -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()

    def seed_ids(self, seed: int) -> None:
        """Makes the ids that moto draws the same in every run."""
        self.control(f"/moto-api/seed?a={seed}")

    @contextlib.contextmanager
    def clock_at(self, start: str) -> Iterator[None]:
        """Dates that moto takes from the clock are from `start` on, meanwhile."""
        self.control("/_groma/clock", {"start": start})
        try:
            yield
        finally:
            self.control("/_groma/clock", method="DELETE")


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", ":"), "Value": value} for key, value in values.items()]


def named(kind: str, name: str, **values: str) -> list[dict[str, Any]]:
    """A TagSpecifications parameter."""
    return [{"ResourceType": kind, "Tags": tags(Name=name, **values)}]
