//! Announcements of other brokers.

use broker::peers;
use events::{BrokerPresent, Message};

const MINE: &str = "01KAHZ7Q0M8S1J3V5X9T2W4Y6B";

fn mine() -> BrokerPresent {
    BrokerPresent { broker_id: MINE.to_owned(), configuration: vec![1; 32], ..BrokerPresent::default() }
}

#[test]
fn announcement() {
    fuzz::Target::new("announcement").well_formed(fuzz::messages::broker_present).check(|bytes| {
        let Some(other) = peers::other(bytes, &mine()) else { return };
        assert!(ulid::Ulid::from_string(&other.broker_id).is_ok() && other.broker_id != MINE);
        assert_eq!(other.configuration.len(), 32);
        assert_eq!(peers::other(&other.encode_to_vec(), &mine()), Some(other));
    });
}

#[test]
fn a_broker_does_not_hear_itself() {
    assert_eq!(peers::other(&mine().encode_to_vec(), &mine()), None);
}
