//! The server on a free port, with requests as they are on the wire.

use observe::{Answer, Health, Metrics, Monitor};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const FREE: &str = "127.0.0.1:0";

async fn monitor() -> (Monitor, &'static Health, &'static Metrics) {
    let (health, metrics): (&Health, &Metrics) = (Box::leak(Box::default()), Box::leak(Box::default()));
    let address = FREE.parse().expect("an address");
    (Monitor::listen(address, health, metrics).await.expect("a free port"), health, metrics)
}

/// Sends bytes and reads everything until the server closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // The server may answer and close before it has read everything.
    stream.write_all(bytes).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).expect("text")
}

async fn request(monitor: &Monitor, method: &str, path: &str) -> (u16, String) {
    let bytes = format!("{method} {path} HTTP/1.1\r\nHost: groma\r\n\r\n");
    let answer = exchange(monitor.address(), bytes.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

async fn get(monitor: &Monitor, path: &str) -> (u16, String) {
    request(monitor, "GET", path).await
}

#[tokio::test]
async fn a_loop_that_hangs_fails_the_liveness_probe() {
    let (monitor, health, _) = monitor().await;
    assert_eq!(get(&monitor, "/healthz").await, (200, "ok\n".to_owned()));
    let going_on = health.watch("collector iam", Duration::from_hours(1));
    // Any time without a mark is too long.
    let hanging = health.watch("collector ec2", Duration::ZERO);
    let (status, reason) = get(&monitor, "/healthz").await;
    assert_eq!(status, 503);
    assert!(reason.starts_with("collector ec2: no progress for ") && reason.lines().count() == 1, "{reason}");
    drop((hanging, going_on));
    assert_eq!(get(&monitor, "/healthz").await.0, 200);
}

#[tokio::test]
async fn a_process_is_ready_when_it_can_work() {
    let (monitor, health, _) = monitor().await;
    assert_eq!(get(&monitor, "/readyz").await, (503, "starting\n".to_owned()));
    let part = health.part("broker");
    assert_eq!(get(&monitor, "/readyz").await, (503, "broker: starting\n".to_owned()));
    part.is_ready_while(|| Ok(()));
    assert_eq!(get(&monitor, "/readyz").await, (200, "ok\n".to_owned()));
    part.is_ready_while(|| Err("no connection to NATS".to_owned()));
    assert_eq!(get(&monitor, "/readyz").await, (503, "broker: no connection to NATS\n".to_owned()));
    assert_eq!(get(&monitor, "/healthz").await.0, 200, "a lost connection is no reason for a restart");
}

#[tokio::test]
async fn metrics_are_those_that_were_recorded() {
    let (monitor, health, metrics) = monitor().await;
    let readiness = async || {
        let text = get(&monitor, "/metrics").await.1;
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(readiness().await, ["groma_ready 0"]);
    let part = health.part("broker");
    part.is_ready_while(|| Ok(()));
    assert_eq!(readiness().await, ["groma_ready 1"]);
    metrics.aws.called("ec2", "DescribeVpcs", Answer::Throttled);
    let (_, text) = get(&monitor, "/metrics").await;
    let line = "groma_aws_calls_total{service=\"ec2\",api=\"DescribeVpcs\",outcome=\"throttled\"} 1";
    assert!(text.lines().any(|it| it == line), "{text}");
    assert!(!text.contains("groma_leases"), "nothing was leased: {text}");
    let answer = exchange(monitor.address(), b"GET /metrics HTTP/1.1\r\nHost: groma\r\n\r\n").await;
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{answer}");
}

#[tokio::test]
async fn only_these_pages_can_be_read_and_nothing_be_sent() {
    let (monitor, ..) = monitor().await;
    assert_eq!(request(&monitor, "HEAD", "/healthz").await, (200, String::new()));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(request(&monitor, method, "/metrics").await.0, 405, "{method}");
    }
    for path in ["/", "/metrics/", "/debug/pprof", "/../etc/passwd"] {
        assert_eq!(get(&monitor, path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn requests_are_limited_in_size() {
    let (monitor, ..) = monitor().await;
    let long = format!("GET /healthz HTTP/1.1\r\nHost: groma\r\nX-Long: {}\r\n\r\n", "x".repeat(64 * 1024));
    let answer = exchange(monitor.address(), long.as_bytes()).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    let endless = b"GET /healthz HTTP/1.1\r\nHost: groma\r\nContent-Length: 99999999999\r\n\r\nand so on";
    let answer = exchange(monitor.address(), endless).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the body is not awaited: {answer}");
}

#[tokio::test]
async fn a_silent_client_is_cut_off_and_blocks_no_other() {
    let (monitor, ..) = monitor().await;
    let mut silent = TcpStream::connect(monitor.address()).await.expect("it listens");
    silent.write_all(b"GET /hea").await.expect("sent");
    assert_eq!(get(&monitor, "/healthz").await.0, 200);
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), silent.read_to_end(&mut rest)).await.expect("it is cut off").ok();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn idle_connections_keep_no_probe_waiting() {
    let (monitor, ..) = monitor().await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(TcpStream::connect(monitor.address()).await.expect("it listens"));
    }
    assert_eq!(get(&monitor, "/healthz").await.0, 200);
    let mut last = idle.pop().expect("64 connections");
    tokio::select! {
        biased;
        _ = last.read_u8() => panic!("the probe waited until idle connections were cut off"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_port_in_use_is_an_error_and_a_dropped_monitor_leaves_it() {
    let (first, health, metrics) = monitor().await;
    let address = first.address();
    let error = Monitor::listen(address, health, metrics).await.expect_err("it is in use");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while let Err(error) = Monitor::listen(address, health, metrics).await {
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
