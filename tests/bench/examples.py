"""Examples of the workspace, which the measurements run."""

from __future__ import annotations

from collections.abc import Iterable

import build
import servers


def built(names: Iterable[str], *profile: str) -> dict[str, str]:
    """Builds examples. Returns their paths by name; raises servers.Failed if cargo fails."""
    chosen = [word for name in sorted(names) for word in ("--example", name)]
    try:
        messages = build.cargo("build", "--workspace", "--locked", *chosen, build.FORMAT, *profile)
    except build.Failed as error:
        raise servers.Failed(str(error)) from error
    return {message["target"]["name"]: message["executable"] for message in messages if message.get("executable")}
