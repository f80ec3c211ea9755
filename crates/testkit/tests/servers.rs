//! Each server starts, answers, and leaves nothing behind.

use anyhow::{Context, ensure};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testkit::{Aws, Nats, Neo4j, Size};

#[tokio::test]
async fn nats_keeps_its_port_and_ends_with_its_value() -> anyhow::Result<()> {
    let mut nats = Nats::start().await?;
    let (url, first) = (nats.url(), nats.process_id().context("it runs")?);
    assert!(answers(&url));
    nats.kill();
    assert!(!answers(&url) && !is_running(first)?);
    nats.restart().await?;
    nats.restart().await?;
    let last = nats.process_id().context("it runs")?;
    assert!(nats.url() == url && answers(&url) && last != first);
    drop(nats);
    assert!(!answers(&url) && !is_running(last)?);
    Ok(())
}

#[tokio::test]
async fn neo4j_keeps_its_graph_and_ends_with_its_value() -> anyhow::Result<()> {
    let mut neo4j = Neo4j::start().await?;
    neo4j.rows("CREATE (:Kept {name: 'a'})").await?;
    neo4j.kill();
    assert!(neo4j.rows("RETURN 1").await.is_err());
    neo4j.restart().await?;
    neo4j.restart().await?;
    assert_eq!(neo4j.rows("MATCH (n:Kept) RETURN n.name AS name").await?, [json!({"name": "a"})]);
    let process = neo4j.process_id().context("it runs")?;
    drop(neo4j);
    assert!(!is_running(process)?);
    Ok(())
}

#[tokio::test]
async fn shared_neo4j_is_empty_at_each_turn() -> anyhow::Result<()> {
    let neo4j = Neo4j::shared().await?;
    neo4j.rows("CREATE CONSTRAINT one FOR (n:A) REQUIRE n.id IS UNIQUE").await?;
    neo4j.rows("CREATE INDEX two FOR (n:A) ON (n.name)").await?;
    neo4j.rows("UNWIND range(1, 50000) AS id CREATE (:A {id: id})-[:R {since: 1}]->(:B)").await?;
    drop(neo4j);
    let neo4j = Neo4j::shared().await?;
    assert_eq!(neo4j.rows("MATCH (n) RETURN count(n) AS n").await?, [json!({"n": 0})]);
    assert!(neo4j.rows("SHOW CONSTRAINTS YIELD name").await?.is_empty());
    assert!(neo4j.rows("SHOW INDEXES YIELD type WHERE type <> 'LOOKUP'").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn rows_are_json() -> anyhow::Result<()> {
    let neo4j = Neo4j::shared().await?;
    let rows = neo4j
        .rows(
            "CREATE (n:A:B {s: 'x', i: 1, f: 0.5, b: true, l: ['y'], t: datetime('2024-05-06T07:08:09Z')}) \
             CREATE (n)-[r:R {since: 1}]->(n) RETURN n, r, {m: null} AS m, labels(n) AS labels",
        )
        .await?;
    let properties = json!({"s": "x", "i": 1, "f": 0.5, "b": true, "l": ["y"], "t": "2024-05-06T07:08:09+00:00"});
    let expected = json!({
        "n": {"labels": ["A", "B"], "properties": properties},
        "r": {"type": "R", "properties": {"since": 1}},
        "m": {"m": null},
        "labels": ["A", "B"],
    });
    assert_eq!(rows, [expected]);
    let error = neo4j.rows("RETURN 1/0").await.err().context("not a number")?;
    assert!(format!("{error:#}").contains("/ by zero"), "{error:#}");
    Ok(())
}

#[tokio::test]
async fn aws_holds_an_organization() -> anyhow::Result<()> {
    let aws = Aws::start().await?;
    let organization = aws.organization(Size::Small).await?;
    assert_eq!(organization.accounts[0].id, "111111111111");
    assert_eq!(organization.regions, ["us-east-1", "eu-west-1"]);
    assert_eq!(organization.env["AWS_ENDPOINT_URL"], aws.endpoint());
    assert!(Path::new(&organization.env["AWS_CONFIG_FILE"]).exists());
    assert_eq!(aws.calls().await?, [], "the seeding is not counted");
    let alpha = organization.account("alpha")?;
    let answer = aws.call(alpha, "us-east-1", "ec2", "describe_vpcs", json!({})).await?;
    assert!(!answer["Vpcs"].as_array().context("a list")?.is_empty());
    let refused = aws.call(alpha, "us-east-1", "ec2", "delete_vpc", json!({"VpcId": "vpc-none"})).await;
    assert!(format!("{:#}", refused.err().context("there is no such VPC")?).contains("InvalidVpcID.NotFound"));
    let process = aws.process_id();
    drop(aws);
    assert!(!is_running(process)?);
    Ok(())
}

#[tokio::test]
async fn an_aws_of_stock_is_its_own() -> anyhow::Result<()> {
    let ((one, organization), (other, _)) =
        tokio::try_join!(Aws::with_organization(Size::Small), Aws::with_organization(Size::Small))?;
    assert_eq!(organization.env["AWS_ENDPOINT_URL"], one.endpoint());
    assert_eq!(one.calls().await?, [], "the seeding is not counted");
    let alpha = organization.account("alpha")?;
    let vpcs = async |aws: &Aws| -> anyhow::Result<usize> {
        let answer = aws.call(alpha, "us-east-1", "ec2", "describe_vpcs", json!({})).await?;
        Ok(answer["Vpcs"].as_array().context("a list")?.len())
    };
    let before = vpcs(&one).await?;
    one.call(alpha, "us-east-1", "ec2", "create_vpc", json!({"CidrBlock": "10.9.0.0/16"})).await?;
    assert_eq!((vpcs(&one).await?, vpcs(&other).await?), (before + 1, before));
    let process = one.process_id();
    drop(one);
    assert!(!is_running(process)?);
    assert_eq!(vpcs(&other).await?, before);
    Ok(())
}

#[tokio::test]
async fn aws_takes_faults() -> anyhow::Result<()> {
    let aws = Aws::start().await?;
    aws.fault(json!({"service": "ec2", "action": "DescribeVpcs", "code": "RequestLimitExceeded", "times": 2})).await?;
    aws.clear_faults().await?;
    let unknown = aws.fault(json!([{"servise": "ec2"}])).await.err().context("no such field")?;
    assert!(format!("{unknown:#}").contains("servise"), "{unknown:#}");
    aws.control("latency", json!({"milliseconds": 0})).await?;
    aws.clear_calls().await
}

/// A killed test process cannot clean up, so its watchdog must.
#[test]
fn servers_do_not_outlive_a_killed_test() -> anyhow::Result<()> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--ignored", "--exact", "waits_to_be_killed", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
    let started = lines.map_while(Result::ok).find_map(|line| line.split_once("started: ").map(|it| it.1.to_owned()));
    let (url, dir) = started.as_deref().and_then(|it| it.split_once(' ')).context("it starts a server")?;
    assert!(answers(url));
    child.kill()?;
    child.wait()?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while answers(url) || Path::new(dir).exists() {
        ensure!(Instant::now() < deadline, "a server outlived its test");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by the test above in a separate process"]
async fn waits_to_be_killed() -> anyhow::Result<()> {
    let nats = Nats::start().await?;
    println!("started: {} {}", nats.url(), nats.dir().display());
    std::thread::sleep(Duration::from_mins(1));
    Ok(())
}

fn answers(url: &str) -> bool {
    TcpStream::connect(url.trim_start_matches("nats://")).is_ok()
}

fn is_running(process: u32) -> anyhow::Result<bool> {
    let mut probe = Command::new("sh");
    probe.args(["-c", "kill -s 0 \"$1\"", "probe", &process.to_string()]);
    Ok(probe.stderr(Stdio::null()).status()?.success())
}
