"""The page `docs/memory.md`: a table for each part that `memory.py` measures, replaced when it is measured again."""

import datetime
import re

HEAD = """# Memory

How much memory each role takes, as accounts grow and as there are more of them. This page is written by

```sh
just memory
```

Sizes are the largest resident size that a process had; each role is a process of its own, with default flags but for quotas
that do not hold it back.

"""

TEXTS = {
    "assets": (
        "A larger account",
        """One account in one region answers full pages of `DescribeVolumes` and `ListFindings`, each resource with an id of its own,
from memory (`tests/bench/large_account.py`); of all other types it has a few. A listing becomes events page by page, a
collector waits when a few of its events have not been acknowledged, and the writer takes in so many bytes of events at once.
What there is at one time does not depend on the account; a larger one only makes sure that every buffer has once been full.
nats-server keeps blocks of the streams, which are files, in memory for as long as they are read.""",
    ),
    "accounts": (
        "More accounts",
        """All accounts are like one account of a simulated AWS, with ids of their own, in four regions each
(`tests/bench/many_accounts.py`); surveyed are EC2 and Inspector. The broker keeps a session for each account and service that is
in use, the scheduler a line for each listing in each place.""",
    ),
    "closing": (
        "A large sync",
        """A graph-writer closes a sync whose listings are all in the graph and have all been reported
(`crates/graph-writer/examples/close.rs`). A scheduler hands out the work of such a sync and takes the reports
(`crates/scheduler/examples/follow.rs`), also with regions in which every listing fails with a text of its own, as under a
policy that denies them. Each has 256 MiB of memory at most. Neither keeps a name or a failure twice, and texts of failures
beyond some 16,000 are cut.""",
    ),
    "regions": (
        "A region that cannot be seen",
        """Time, not memory: how long a survey of three accounts in two regions takes while EC2 of one region denies every call, and while
it accepts calls and answers none. The region keeps its last known graph and is named (exit status 3). A hung region may cost
three minutes.""",
    ),
}
SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)


def write(path, part, table, build="a release build"):
    """Puts the table of a part into the page, and leaves the others as they are."""
    known = dict(SECTION.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}
    known[part] = section(part, table, build)
    body = "\n".join(f"<!-- {name} -->\n{known[name]}<!-- end -->\n" for name in TEXTS if name in known)
    path.write_text(HEAD + body, encoding="utf-8")


def section(part, table, build):
    title, text = TEXTS[part]
    return f"\n## {title}\n\nMeasured on {datetime.date.today().isoformat()} with {build}.\n\n{table}\n\n{text}\n\n"
