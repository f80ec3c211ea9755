"""Comma-separated lists on a command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Container


def numbers(text: str) -> list[int]:
    """Numbers of a list."""
    return list(map(int, text.split(",")))


def names_in(known: Container[str]) -> Callable[[str], list[str]]:
    """Reader of a list of known names; argparse reports all unknown ones."""

    def parts(text: str) -> list[str]:
        named = text.split(",")
        if unknown := sorted(name for name in set(named) if name not in known):
            raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}")
        return named

    return parts
