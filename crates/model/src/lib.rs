//! The event protocol as a model, all of it in `tests/model`: every order of every step of small worlds, and seeded
//! runs of larger ones. It finds defects that tests with real servers meet only by chance.
//!
//! # Protocol
//!
//! A *scheduler* begins a sync: it takes an update tag, publishes one work item for each place (an account, a region
//! and a service), waits for a report on each, and publishes `collected`. A *collector* takes an item and reads its
//! listings. For each listing it publishes batches of rows and then `finished`, or `failed`. The *writer* applies
//! messages in transactions. A scope (a place and a listing) records which batches of its newest run were applied. A
//! *run* is one attempt of one sync, ordered by tag, sync and attempt. After `collected`, the writer waits for the
//! sync's scopes, creates edges that lacked an end, removes assets that complete listings no longer contain, and names
//! the scopes that it could not write.
//!
//! # Actors and disturbances
//!
//! - AWS: assets and links between them, which appear, disappear and change.
//! - Schedulers: clocks that are ahead or behind; two that begin at the same time, one that dies, one that gives up; on
//!   one bus or two.
//! - Collectors of several versions: they die at any message, or continue while their item is redelivered; JetStream's
//!   delivery counter may start over.
//! - The stream: messages are read in any order, read twice, or lost after acknowledgement; a replica lags.
//! - Writers: interleaved transactions. A statement reads committed data; a write waits for a lock and does not
//!   re-evaluate its condition. A transaction in a deadlock rolls back.
//! - A sync's end: it may be interrupted and restarted, and runs concurrently with another one's.
//!
//! # Invariants
//!
//! - **(a)** The rows of a scope's newest run are in the graph with its tag or a newer one. A complete scope equals the
//!   listing that its collector read.
//! - **(b)** A place is forgotten, and a node removed, only on proof: every listing that ever listed the label there
//!   was complete in a newer run without it. A listing that only adds to nodes does not list their label.
//! - **(c)** Order, repeats and deaths lead to the same graph.
//! - **(d)** A sync that reports itself complete leaves the graph of an undisturbed sync, apart from changes of newer
//!   syncs. Any other sync names each scope that it did not write.
//! - **(e)** No tag in the graph decreases, and a sync's tag is larger than all existing ones.
//! - **(f)** After any disturbance, one more sync makes the graph equal to AWS.
//! - **(g)** A removed asset reappears only when a sync sees it: follows from (d) and (f).
//!
//! # Real and modelled parts
//!
//! Real: the scope's state machine (`graph_writer::scopes`), the scheduler's plan (`scheduler::plan`), and the merge of
//! repeats (`scheduler::repeat`). Modelled: JetStream, Neo4j's locks and read-committed isolation, the statements, the
//! sync's end with its cleanup, and the clocks. Omitted: batching by size, lanes within a process (a transaction may
//! take any messages of a place in any order, which covers more cases than lanes), discovery of regions, and time: a
//! timed wait may end at any moment at which it could.
//!
//! Every rule can be switched back to its state before a defect was fixed (`Rules` in `tests/model/shape.rs`). Each
//! defect has a test that finds it with the old rule and finds nothing with the new one.
//!
//! # Known gaps
//!
//! - A sync of an older version that has already chosen the assets to clean up does not wait for a listing that an
//!   overlapping older sync brings for the first time at that moment.
//! - Syncs on different buses may take the same tag. Assets seen only by the first then stay until the next sync.
//! - Assets seen by one attempt of a sync and missed by a later attempt stay until the next sync.
//!
//! # Tools
//!
//! stateright explores breadth first, which gives short traces. Its own simulation repeats only its first run from a
//! seed and counts states, so the seeded runs are a separate loop over the same actions. Its `eventually` misses loops and
//! joining paths; (f) is therefore checked in every quiescent state.
