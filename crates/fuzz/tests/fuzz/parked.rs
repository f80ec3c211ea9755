//! An operator's view of a message that could not be handled.

use groma::parked::{decoded, shown};

#[test]
fn parked() {
    fuzz::Target::new("parked").well_formed(fuzz::messages::any).memory(4 << 20, 1_024).allocations(20_000, 256).check(
        |bytes| {
            for stream in [bus::WORK, bus::ASSETS, bus::SYNCS, "OTHER"] {
                let shown = match decoded::event(stream, bytes) {
                    Ok(event) => shown::json_text(&event).expect("it is JSON"),
                    Err(why) => shown::printable(&why),
                };
                assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
            }
            let _ = groma::replay::since::parse(&String::from_utf8_lossy(bytes));
        },
    );
}
