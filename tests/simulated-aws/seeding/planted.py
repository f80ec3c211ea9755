"""The mark of secrets that the seeding gives to AWS. A test looks for it in everything that Groma writes."""

from __future__ import annotations

# Part of every seeded secret and of every value that no survey may read.
PLANTED = "planted-secret"
