//! The event protocol as a model. There is no code here but in `tests/model`: every order of every step of small worlds,
//! and seeded runs of larger ones. It finds what tests with real servers meet by chance at most.
//!
//! # Protocol
//!
//! A *scheduler* begins a sync: it takes an update tag, publishes one item of work for each place (an account, a region and a
//! service), waits for a report on each, and says that all is collected. A *collector* takes an item and reads its listings;
//! of each it publishes batches of rows and then `finished`, or `failed`. The *writer* applies messages in transactions, and a
//! scope (a place and a listing) counts which batches of its newest run it has. A *run* is one attempt of one sync, ordered
//! by tag, sync and attempt. When the sync is collected, the writer waits for its scopes, draws edges that lacked an end, removes
//! what complete listings no longer see, and names what it could not write.
//!
//! # Actors and what disturbs them
//!
//! - AWS: things and links between them, which come, go and change.
//! - Schedulers: clocks that are ahead or behind, two that begin at once, one that dies, one that gives up; on one bus or
//!   two.
//! - Collectors of several versions: they die at any message, or work on while their item has come again; JetStream's
//!   delivery counter may start over.
//! - The stream: messages are read in any order, twice, or are lost after they were acknowledged; a replica lags.
//! - Writers: transactions that interleave. A statement reads what is committed; where it writes, it waits for a lock, and does
//!   not evaluate its condition again. A transaction in a deadlock rolls back.
//! - A sync's end, which may be cut off and begun again, and runs beside another one's.
//!
//! # Invariants
//!
//! - **(a)** What the newest run of a scope has brought is in the graph with its tag or a newer one. A complete scope is what
//!   its collector read.
//! - **(b)** A place is forgotten, and a node removed, on proof alone: every listing that ever brought the label there was
//!   complete in a newer run without it.
//! - **(c)** Order, repeats and deaths lead to the same graph.
//! - **(d)** A sync that says it is complete has left the graph of an undisturbed one, but for what newer syncs changed;
//!   else it names each scope that it did not write.
//! - **(e)** No tag in the graph goes down, and a sync's tag is larger than all that were there.
//! - **(f)** After any disturbance, one more sync makes the graph what AWS is.
//! - **(g)** What was removed comes back only when a sync sees it: follows from (d) and (f).
//!
//! # What is real and what is not
//!
//! Real: the scope's state machine (`graph_writer::scopes`), the scheduler's plan (`scheduler::plan`), and how
//! repeats are taken in (`scheduler::repeat`). Modelled: JetStream, Neo4j's locks and read committed, the statements,
//! the sync's end with what it cleans up, and the clocks. Left out: batching by size, lanes within a process (a transaction may
//! take any messages of a place, in any order, which is more than lanes do), regions that are discovered, and time: whatever
//! waits for a time may end at any moment at which it could.
//!
//! Every rule can be switched to what it was when a defect was found (`Rules` in `tests/model/shape.rs`). Each defect is a
//! test that finds it with the old rule and nothing with the new one.
//!
//! # What is not promised
//!
//! - A collector of an older version says that its sync is complete although the graph knows listings that it does not.
//! - A sync of an older version that has decided what to clean up does not wait for a listing that an overlapping, older
//!   sync brings for the first time at that moment.
//! - Syncs on different buses may take the same tag: what only the first saw then stays until the next sync.
//! - What an attempt of a sync saw, and a later attempt of the same sync did not, stays until the next sync.
//!
//! # Tools
//!
//! stateright explores: breadth first, so that a trace is short. Its own simulation repeats only its first run from a seed and
//! counts states, so the seeded runs are a loop of ours over the same actions. Its `eventually` misses loops and paths that
//! join; (f) is instead checked in every state in which nothing is under way.
