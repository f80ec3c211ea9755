"""A clock for moto that can be set, so that seeding the same organization twice gives it the same dates.

moto's modules take `utcnow` by name when they are imported, so this one has to be in its place before: the package's
`__init__` sees to that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo

import moto.core.utils

from . import patches

# Not a whole second: AWS gives some dates with milliseconds, and those have to survive too.
STEP = timedelta(milliseconds=1003)


class Ticks:
    """The moments that the clock shows; without any it shows the real time."""

    set_to: Iterator[datetime] | None = None


def start(at: datetime) -> None:
    """From now on it is `at`, and a little later with each look at the clock."""
    Ticks.set_to = (at + number * STEP for number in itertools.count())


def stop() -> None:
    """Back to the real time."""
    Ticks.set_to = None


def now() -> datetime:
    ticks = Ticks.set_to
    return datetime.now(timezone.utc) if ticks is None else next(ticks)


def utcnow() -> datetime:
    return now().replace(tzinfo=None)


class Clock(datetime):
    """For the modules that ask `datetime` itself."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return now() if tz else utcnow()


patches.replace(moto.core.utils, "utcnow", utcnow)
