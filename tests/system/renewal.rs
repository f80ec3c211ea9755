//! A survey that takes longer than its sessions last.

use crate::world::World;
use serde_json::{Value, json};
use testkit::Size;

/// Duration of a session in seconds; AWS's minimum is 900.
const SESSION: u64 = 10;

/// Surveys one region of an account. Returns the report, and the number of assumed roles.
async fn surveyed(world: &World) -> (Value, usize) {
    world.aws.clear_calls().await.expect("moto forgets");
    let (alpha, region) = (world.account("alpha"), &world.organization.regions[0]);
    let ran = world.sync(&["--account", alpha, "--services", "ec2", "--regions", region, "--concurrency", "1"]).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let calls = world.aws.calls().await.expect("moto remembers");
    (ran.json(), calls.iter().filter(|call| call.action == "AssumeRole").count())
}

#[tokio::test]
async fn sessions_are_renewed_while_they_are_used() {
    let world = World::of(Size::Small).await;
    let (long, once) = surveyed(&world).await;
    world.aws.control("sessions", json!({"seconds": SESSION})).await.expect("sessions end early");
    // Sequential listings of about forty calls in total.
    world.aws.control("latency", json!({"milliseconds": 400})).await.expect("moto slows down");
    let (short, more) = surveyed(&world).await;
    assert_eq!(short["assets_by_listing"], long["assets_by_listing"]);
    assert!(more > once, "{more} sessions, as many as without their end");
}
