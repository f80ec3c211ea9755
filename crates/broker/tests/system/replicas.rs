//! Several brokers side by side.

use crate::world::{ALPHA, ALPHA_ROLE, World};

#[tokio::test(flavor = "multi_thread")]
async fn one_may_die_and_none_needs_what_another_knows() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    for _ in 0..3 {
        world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    }
    world.accounts().await;
    let lease = async |nth: usize| {
        let sync = format!("S{nth}");
        world.lease_for(&sync, ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    };
    for nth in 0..12 {
        lease(nth).await;
    }
    world.kill(0).await;
    world.kill(2).await;
    for nth in 12..20 {
        world.lease_for(&format!("S{nth}"), ALPHA, "iam", &["iam:ListUsers"]).await.expect("a lease");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_waits_for_a_broker_that_is_restarted() {
    let mut world = World::new().await;
    world.hub_keys();
    world.config(&format!("[profile alpha]\nrole_arn = {ALPHA_ROLE}\nsource_profile = hub\n"));
    world.broker(&["--accounts", "profiles"], &[]).await.expect("it starts");
    world.kill(0).await;
    let requester = credentials::LeaseRequester::new(world.bus.clone());
    let actions = ["iam:ListUsers".to_owned()];
    let (lease, started) = tokio::join!(requester.lease("S", ALPHA, "iam", &actions), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        world.broker(&["--accounts", "profiles"], &[]).await
    });
    started.expect("it starts");
    world.keep_secret(&lease.expect("a lease").credentials);
    world.end().await;
}
