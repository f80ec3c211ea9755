"""The page `docs/scaling.md`: a table for each part that `scale.py` measures, replaced when it is measured again."""

from sections import Page

HEAD = """# Scaling

How surveys scale with collectors, assets, accounts and regions. This command writes the page:

```sh
just scale
```

Give Neo4j memory for the size of the graph. `groma doctor` names a Neo4j that has less:

| nodes                | heap | page cache           |
|:---------------------|-----:|---------------------:|
| up to 100,000        | 1 GB |               256 MB |
| up to 1,000,000      | 2 GB |                 1 GB |
| more                 | 4 GB | 1 GB for each million |

"""

TEXTS = {
    "collectors": (
        "More collectors",
        """- **The organization** has {accounts} accounts and their hub, in {regions} regions each: {items} work items of EC2. All
  accounts are copies of one account of a simulated AWS, with their own ids, account names and regions
  (`tests/bench/many_accounts.py`). Answers are replayed from memory {latency} ms after each call.
- **Collectors** are processes of `groma collector ec2 --items 1`, each with one account and region at a time. A broker, a
  scheduler and nats-server run beside them. By default a collector has four accounts and regions at a time.
- **Limits.** The time for collecting falls in proportion to the number of collectors, as long as the machine, the replayed
  AWS and AWS's buckets have room. *Machine* is the share of the {cores} cores that was busy meanwhile. *Replayed AWS* is the
  share of its one core that it used. No API is called often enough in one account and region to empty its bucket.
- **Writing** is the time that one graph-writer with two connections took afterwards, into a Neo4j that had planned its
  statements. It begins after collecting only to measure the two separately. In normal use they overlap, and Neo4j is the
  limit if collecting takes less time than writing.""",
    ),
    "assets": (
        "More assets",
        """- **The syncs** have {assets} nodes with 20 properties and about {relationships} relationships, in two regions of each
  account with four listings (`crates/scheduler/examples/synthetic`). Every node hangs on its account. The columns are
  consecutive syncs of one organization. In the last one, 10% of the assets do not exist any more,
  and are removed with their relationships.
- **Only writing is timed.** All events are on the bus before the graph-writer starts, and the time ends when the graph has
  finished the sync. `groma replay` of the same first sync took {replayed} s, with reading and publishing it.
- **Neo4j** has a heap of 2 GB, a page cache of 1 GB, the parallel collector and HotSpot's default compiler thresholds. It
  starts cold and empty for each row. Graph-writer, nats-server and Neo4j share {cores} cores.
- **Memory** is the largest resident size. **Store** is the size of Neo4j's files at the end. *before* is the previous version
  of Groma, if the table has one; both were measured in turn.""",
    ),
    "places": (
        "More accounts and regions",
        """All accounts are copies of one account of a simulated AWS, with their own ids, in all regions that every account has.
Most regions are nearly empty. The survey covers all services; AWS answers from memory, after {latency} ms. Memory is the largest
resident size of each role.""",
    ),
}
PAGE = Page(HEAD, TEXTS)
