"""moto behind a thin layer: who called what, faults on demand, role trust, and the calls that moto lacks."""

from . import clock  # noqa: F401  before the rest of moto is imported
