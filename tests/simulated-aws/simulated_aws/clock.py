"""A clock for moto that can be set, so that seeding the same organization twice gives it the same dates.

moto's modules take `utcnow` by name when they are imported, so this one has to be in its place before: the package's
`__init__` sees to that.
"""

import itertools
from datetime import datetime, timedelta, timezone

import moto.core.utils

# Not a whole second: AWS gives some dates with milliseconds, and those have to survive too.
STEP = timedelta(milliseconds=1003)
_ticks = None


def start(at):
    """From now on it is `at`, and a little later with each look at the clock."""
    global _ticks
    _ticks = (at + number * STEP for number in itertools.count())


def stop():
    """Back to the real time."""
    global _ticks
    _ticks = None


def now():
    ticks = _ticks
    return datetime.now(timezone.utc) if ticks is None else next(ticks)


def utcnow():
    return now().replace(tzinfo=None)


class Clock(datetime):
    """For the modules that ask `datetime` itself."""

    @classmethod
    def now(cls, tz=None):
        return now() if tz else utcnow()


moto.core.utils.utcnow = utcnow
