"""The page `docs/memory.md`: a table for each part that `memory.py` measures, replaced when it is measured again."""

from sections import Page

HEAD = """# Memory

The memory of each role as accounts grow, and as their number grows. This command writes the page:

```sh
just memory
```

Sizes are the largest resident size of a process. Each role is a separate process with default flags, but with raised quotas, so
that they do not slow it down.

"""

TEXTS = {
    "assets": (
        "A larger account",
        """One account in one region has many volumes and findings and a few resources of all other types. Full pages of
`DescribeVolumes` and `ListFindings` come from memory, and each resource has a unique id (`tests/bench/large_account.py`).
A collector turns a listing into events page by page, and waits while a few of its events are unacknowledged. The writer
holds a limited number of bytes of events. So the memory does not depend on the size of the account; a larger one only fills
every buffer once. nats-server stores streams in files, and keeps blocks in memory while they are read.""",
    ),
    "accounts": (
        "More accounts",
        """All accounts are copies of one account of a simulated AWS, with their own ids, in four regions each
(`tests/bench/many_accounts.py`). The survey covers EC2 and Inspector. The broker keeps a session for each account and
service in use, and the scheduler an entry for each listing in each place.""",
    ),
    "closing": (
        "A large sync",
        """A graph-writer closes a sync whose listings are all in the graph and have all been reported
(`crates/graph-writer/examples/close.rs`). A scheduler hands out the work of such a sync and takes the reports
(`crates/scheduler/examples/follow.rs`). In another run every listing of some regions fails with a different text, as under a
policy that denies these regions. Each program has at most 256 MiB of memory. Neither stores a name or a failure twice, and
the scheduler cuts the texts of failures beyond about 16,000.""",
    ),
    "regions": (
        "A region that cannot be seen",
        """Time, not memory: the duration of a survey of three accounts in two regions while EC2 of one region denies every call,
and while it accepts calls and never answers. The region keeps its last known graph. The sync names it and exits with status 3.
A hung region may cost three minutes.""",
    ),
}
PAGE = Page(HEAD, TEXTS)
