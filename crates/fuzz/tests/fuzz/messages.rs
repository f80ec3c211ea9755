//! Every message decodes or is rejected, and decoding and encoding again gives the same message.

use events::{
    AccountsAnswer, AssetEvent, LeaseAnswer, LeaseRequest, Message, NewestTagAnswer, Recorded, RunningAnswer,
    RunningRequest, SyncEvent, WorkItem, message_id, subjects,
};

/// Keys of message fields, false lengths, and the end of a group that was never opened.
const WORDS: &[&[u8]] = &[
    b"\x0a",
    b"\x12",
    b"\x1a",
    b"\x5a",
    b"\x62",
    b"\x6a",
    b"\x00",
    b"\x02",
    b"\x7f",
    b"\x0b",
    b"\x0c",
    b"\x13",
    b"\x14",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff\x0f",
    b"\x0a\xff\xff\xff\x7f",
];

fn again<M: Message + Default>(read: impl FnOnce() -> Option<M>) -> Option<M> {
    let message = read()?;
    let encoded = message.encode_to_vec();
    // Compared as bytes, because NaN is not equal to itself.
    assert_eq!(M::decode(&*encoded).expect("it has just been encoded").encode_to_vec(), encoded);
    Some(message)
}

/// No field of a message can add tokens to its subject.
fn is_one_subject(subject: &str, tokens: usize) {
    assert_eq!(subject.split('.').filter(|token| !token.is_empty()).count(), tokens, "{subject}");
    assert!(!subject.contains(['*', '>']) && !subject.contains(char::is_whitespace), "{subject}");
}

#[test]
fn messages() {
    fuzz::Target::new("messages").words(WORDS).well_formed(fuzz::messages::any).memory(1 << 20, 128).check(|bytes| {
        if let Some(item) = again(|| WorkItem::decode(bytes).ok()) {
            is_one_subject(&subjects::work(&item), 7);
            message_id::work(&item);
        }
        if let Some(event) = again(|| events::read::<AssetEvent>(bytes).ok()) {
            let subject = subjects::asset(&event);
            is_one_subject(&subject, 9);
            assert!(subjects::carries_asset(&subject, &event));
            message_id::asset(&event);
        }
        if let Some(event) = again(|| events::read::<SyncEvent>(bytes).ok()) {
            let subject = subjects::sync(&event);
            is_one_subject(&subject, 5 + usize::from(subject.contains(".reported.")));
            message_id::sync(&event);
        }
        if let Some(request) = again(|| LeaseRequest::decode(bytes).ok()) {
            is_one_subject(&subjects::lease(&request), 6);
        }
        again(|| LeaseAnswer::decode(bytes).ok());
        again(|| Recorded::decode(bytes).ok());
        again(|| AccountsAnswer::decode(bytes).ok());
        again(|| RunningRequest::decode(bytes).ok());
        again(|| RunningAnswer::decode(bytes).ok());
        again(|| NewestTagAnswer::decode(bytes).ok());
    });
}
