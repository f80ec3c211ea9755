//! Possible actions and their effects.

use crate::{
    close,
    collect::{self, Course, item_name},
    shape::{Budget, Place, Shape, SyncNo, Tag, Thing},
    survey,
    world::{Phase, World, id},
    write,
};
use std::fmt;

/// One step of one actor, or a disturbance.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A scheduler asks for the newest tags. `bool`: whether a writer answers.
    Ask(SyncNo, bool),
    /// A scheduler begins its sync at this time of its clock.
    Begin(SyncNo, Tag),
    /// A collector of this version takes an item with this attempt.
    Take((SyncNo, Place), usize, u32),
    /// A collector reads its next listing.
    List(usize, Course),
    /// A lane begins a transaction with these messages.
    Pick(usize, Vec<u64>),
    /// A lane writes its next row; the last one commits. `bool`: whether its acknowledgement arrives.
    Step(usize, bool),
    /// A lane rolls back.
    Abort(usize),
    /// The writer does the next step of a sync's end. `bool`: whether a lagging replica answers.
    Close(SyncNo, bool),
    /// AWS changes.
    Change(Thing, u8),
    /// An item is redelivered although its collector lives.
    Stall(usize),
    /// JetStream forgets the delivery count of an item.
    Reset((SyncNo, Place)),
    /// The stream loses a message.
    Lose(u64),
    /// The process that closes a sync dies, and another one starts over.
    Restart(SyncNo),
    /// A scheduler dies.
    Die(SyncNo),
    /// A scheduler gives up the items without a report.
    GiveUp(SyncNo),
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(sync, true) => write!(f, "{} asks for the newest tags", id(*sync)),
            Self::Ask(sync, false) => write!(f, "{} asks for the newest tags, and no writer answers", id(*sync)),
            Self::Begin(sync, clock) => write!(f, "{} begins at {clock} o'clock", id(*sync)),
            Self::Take(item, version, attempt) => {
                write!(f, "a collector of version {version} takes {} as attempt {attempt}", item_name(*item))
            }
            Self::List(hand, course) => write!(f, "hand {hand} reads its next listing: {course:?}"),
            Self::Pick(lane, messages) => write!(f, "lane {lane} begins with {messages:?}"),
            Self::Step(lane, true) => write!(f, "lane {lane} continues"),
            Self::Step(lane, false) => write!(f, "lane {lane} continues, and its acknowledgement is lost"),
            Self::Abort(lane) => write!(f, "lane {lane} rolls back"),
            Self::Close(sync, false) => write!(f, "the end of {} continues", id(*sync)),
            Self::Close(sync, true) => write!(f, "the end of {} continues, and a replica lags", id(*sync)),
            Self::Change(thing, 0) => write!(f, "AWS has no thing {thing} any more"),
            Self::Change(thing, state) => write!(f, "AWS has thing {thing} in state {state}"),
            Self::Stall(hand) => write!(f, "the item of hand {hand} is redelivered"),
            Self::Reset(item) => write!(f, "the count of deliveries of {} starts over", item_name(*item)),
            Self::Lose(message) => write!(f, "the stream loses {message}"),
            Self::Restart(sync) => write!(f, "the end of {} starts over", id(*sync)),
            Self::Die(sync) => write!(f, "the scheduler of {} dies", id(*sync)),
            Self::GiveUp(sync) => write!(f, "{} gives up the items without a report", id(*sync)),
        }
    }
}

/// All actions that are possible now.
pub(crate) fn actions(world: &World, shape: &Shape, out: &mut Vec<Action>) {
    if world.broken.is_some() {
        return;
    }
    collectors(world, shape, out);
    if !shape.fine && !out.is_empty() && is_settled(shape) {
        // Their messages do not depend on the time of publishing and may be read in any order, so one fixed order
        // suffices.
        out.truncate(1);
        return;
    }
    for sync in 0..world.syncs.len() {
        schedulers(world, shape, sync, out);
    }
    for lane in 0..world.lanes.len() {
        lanes(world, shape, lane, out);
    }
    disturbances(world, shape, out);
}

/// Whether collectors are deterministic.
fn is_settled(shape: &Shape) -> bool {
    let Budget { changes, deaths, stalls, resets, failures, losses, give_ups, schedulers, .. } = &shape.budget;
    let may = [changes, deaths, stalls, resets, failures, losses, give_ups, schedulers];
    may.into_iter().all(|left| *left == 0) && shape.versions.len() == 1
}

fn schedulers(world: &World, shape: &Shape, sync: SyncNo, out: &mut Vec<Action>) {
    match world.syncs[sync].phase {
        Phase::Idle if survey::may_begin(world, shape, sync) => {
            out.push(Action::Ask(sync, true));
            out.extend((world.left.silences > 0).then_some(Action::Ask(sync, false)));
        }
        Phase::Asked => out.extend(shape.clocks.iter().map(|clock| Action::Begin(sync, *clock))),
        Phase::Running => {
            out.extend((world.left.schedulers > 0).then_some(Action::Die(sync)));
            out.extend((world.left.give_ups > 0).then_some(Action::GiveUp(sync)));
        }
        Phase::Collected => {
            let may = close::may_step(world, shape, sync);
            out.extend(may.then_some(Action::Close(sync, false)));
            out.extend((may && world.left.lags > 0).then_some(Action::Close(sync, true)));
            let begun = world.syncs[sync].end.is_some();
            out.extend((begun && world.left.closers > 0).then_some(Action::Restart(sync)));
        }
        _ => {}
    }
}

fn collectors(world: &World, shape: &Shape, out: &mut Vec<Action>) {
    for (item, it) in world.items.iter().filter(|(_, it)| !it.taken) {
        for version in 0..shape.versions.len() {
            let attempts = collect::attempts(world, shape, *item).into_iter();
            out.extend(attempts.map(|attempt| Action::Take(*item, version, attempt)));
        }
        out.extend((world.left.resets > 0 && it.deliveries > 0).then_some(Action::Reset(*item)));
    }
    for (hand, it) in world.hands.iter().enumerate() {
        out.push(Action::List(hand, Course::Whole));
        let Some(listing) = collect::next_listing(shape, it) else { continue };
        let batches = collect::batches(world, shape, (it.item.1, listing)).len();
        if world.left.failures > 0 {
            out.extend((0..=batches).map(|batches| Action::List(hand, Course::Fails(batches))));
        }
        if world.left.deaths > 0 {
            out.extend((0..=batches + 1).map(|messages| Action::List(hand, Course::Dies(messages))));
            let last = it.done.len() + 1 == shape.versions[it.version].len();
            out.extend(last.then_some(Action::List(hand, Course::DiesReported)));
        }
        out.extend((world.left.stalls > 0 && it.holds).then_some(Action::Stall(hand)));
    }
}

fn lanes(world: &World, shape: &Shape, lane: usize, out: &mut Vec<Action>) {
    if world.lanes[lane].is_some() {
        if write::may_step(world, shape, lane) {
            out.push(Action::Step(lane, true));
            out.extend((world.left.repeats > 0).then_some(Action::Step(lane, false)));
        } else {
            out.push(Action::Abort(lane));
        }
        return;
    }
    // Lanes are alike: only the first idle one begins.
    if world.lanes.iter().position(Option::is_none) != Some(lane) {
        return;
    }
    let taken = |sequence: &u64| world.lanes.iter().flatten().any(|it| it.messages.contains(sequence));
    let waiting: Vec<u64> =
        world.stream.iter().filter(|(at, it)| it.waiting && !taken(at)).map(|(at, _)| *at).collect();
    for (position, first) in waiting.iter().enumerate() {
        let same = |at: &&u64| world.stream[*at].place == world.stream[first].place;
        let others = waiting[position + 1..].iter().filter(same).copied();
        let mut messages = vec![*first];
        out.extend(write::may_pick(world, lane, &messages).then(|| Action::Pick(lane, messages.clone())));
        for other in others.take(shape.together - 1) {
            messages.push(other);
            out.extend(write::may_pick(world, lane, &messages).then(|| Action::Pick(lane, messages.clone())));
        }
    }
}

fn disturbances(world: &World, shape: &Shape, out: &mut Vec<Action>) {
    if world.left.changes > 0 {
        for (thing, state) in world.aws.iter().enumerate() {
            let states = if *state == 0 { vec![1] } else { vec![0, if *state == 1 { 2 } else { 1 }] };
            let states = states.into_iter().filter(|state| *state < 2 || shape.properties);
            out.extend(states.map(|state| Action::Change(thing, state)));
        }
    }
    if world.left.losses > 0 {
        let held = |at: &u64| world.lanes.iter().flatten().any(|it| it.messages.contains(at));
        out.extend(world.stream.keys().filter(|at| !held(at)).map(|at| Action::Lose(*at)));
    }
}

/// The world after an action.
pub(crate) fn next(world: &World, shape: &Shape, action: &Action) -> World {
    let mut world = world.clone();
    act(&mut world, shape, action);
    if !shape.race
        && let Action::Ask(sync, _) = action
        && let [clock] = shape.clocks[..]
    {
        survey::begin(&mut world, shape, *sync, clock);
    }
    world
}

fn act(world: &mut World, shape: &Shape, action: &Action) {
    match action {
        Action::Ask(sync, answered) => {
            world.left.silences -= u8::from(!answered);
            survey::ask(world, *sync, *answered);
        }
        Action::Begin(sync, clock) => survey::begin(world, shape, *sync, *clock),
        Action::Take(item, version, attempt) => collect::take(world, *item, *version, *attempt),
        Action::List(hand, course) => {
            match course {
                Course::Whole => {}
                Course::Fails(_) => world.left.failures -= 1,
                Course::Dies(_) | Course::DiesReported => world.left.deaths -= 1,
            }
            collect::list(world, shape, *hand, *course);
        }
        Action::Pick(lane, messages) => {
            write::pick(world, *lane, messages.clone());
            let transaction = world.lanes[*lane].as_ref();
            let rows = transaction.map_or(0, |transaction| transaction.rows.len());
            // Steps that no other actor can interrupt are merged.
            let at_once = !shape.fine && rows == 1 && world.left.repeats == 0 && shape.rules.lock_first;
            if rows == 0 || at_once && write::may_step(world, shape, *lane) {
                write::step(world, shape, *lane, true);
            }
        }
        Action::Step(lane, acknowledged) => {
            let rows = world.lanes[*lane].as_ref().map_or(0, |transaction| transaction.rows.len());
            write::step(world, shape, *lane, *acknowledged);
            world.left.repeats -= u8::from(!acknowledged && rows > 0);
        }
        Action::Abort(lane) => write::abort(world, *lane),
        Action::Close(sync, lags) => {
            world.left.lags -= u8::from(*lags);
            // Only a replica's answer can be late, not the leader's.
            close::step(world, shape, *sync, *lags && !shape.rules.leader_only);
        }
        Action::Change(thing, state) => {
            world.left.changes -= 1;
            world.aws[*thing] = *state;
        }
        Action::Stall(hand) => {
            world.left.stalls -= 1;
            let it = world.hands[*hand].clone();
            collect::give_back(world, &it);
            world.hands[*hand].holds = false;
            world.hands.sort();
        }
        Action::Reset(item) => {
            world.left.resets -= 1;
            if let Some(item) = world.items.get_mut(item) {
                item.deliveries = 0;
            }
        }
        Action::Lose(message) => {
            world.left.losses -= 1;
            world.stream.remove(message);
        }
        Action::Restart(sync) => {
            world.left.closers -= 1;
            world.syncs[*sync].end = None;
        }
        Action::Die(sync) => {
            world.left.schedulers -= 1;
            world.syncs[*sync].phase = Phase::Dead;
        }
        Action::GiveUp(sync) => {
            world.left.give_ups -= 1;
            survey::give_up(world, *sync);
        }
    }
}
