"""moto behind a thin layer: who called what, faults on demand, role trust, and the calls that moto lacks."""

import os

# moto reads these when it is imported.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from . import clock  # noqa: F401  before the rest of moto is imported
