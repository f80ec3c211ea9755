"""Requests to the controls and monitoring pages of servers on this machine: JSON, and no proxy in between."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, method: str = "GET", body: object = None, patience: float = 60) -> Any:
    """The answer's JSON. Raises OSError if there is none within `patience` seconds, as HTTPError for another status than 200."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    with DIRECT.open(request, timeout=patience) as response:
        return json.load(response)
