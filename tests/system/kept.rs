//! Events that a `groma sync` collected but could not write are kept, and written later.

use crate::{
    roles::the_graph_is_what_aws_holds,
    world::{World, run},
};
use std::process::Stdio;
use testkit::{Proxy, Size, Way};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

#[tokio::test]
async fn what_was_collected_while_neo4j_did_not_answer_is_kept_and_written_later() {
    let world = World::of(Size::Small).await;
    let port = world.neo4j.uri().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let proxy = Proxy::start(port).await.expect("there is a port");
    let mut sync = world.groma(&["sync", "--accounts", "profiles"]);
    sync.env("NEO4J_URI", format!("bolt://127.0.0.1:{}", proxy.port()));
    sync.env("GROMA_LOG", "warn,collector=info,scheduler=debug").stderr(Stdio::piped());
    let mut sync = sync.spawn().expect("groma starts");
    let mut lines = BufReader::new(sync.stderr.take().expect("it is piped")).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("it can be read") {
        if line.contains("work item done") {
            proxy.hold(Way::ToServer);
        }
        if line.contains("collected; waiting for the graph") {
            let id = sync.id().expect("it runs").to_string();
            Command::new("kill").args(["-INT", &id]).status().await.expect("it is told to end");
        }
        said += &line;
        said += "\n";
    }
    let status = sync.wait().await.expect("it ends").code();
    proxy.cut();
    assert_eq!(status, Some(130), "{said}");
    let hint =
        said.lines().find_map(|line| line.split_once("groma replay --kept ")).unwrap_or_else(|| panic!("{said}"));
    let folder = hint.1.split('`').next().expect("a folder").to_owned();

    let replayed = run(world.groma(&["replay", "--kept", &folder])).await;
    assert_eq!(replayed.status, 0, "{}\n{}", replayed.stdout, replayed.stderr);
    the_graph_is_what_aws_holds(&world).await;
    std::fs::remove_dir_all(&folder).expect("it is there");
}
