//! A minimal HTTP client for the controls of the simulated AWS.

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request with a JSON body (none for null) and returns the JSON response.
pub(crate) async fn request(port: u16, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = exchange(port, method, path, body).await.with_context(|| format!("{method} {path}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("no answer to {method} {path}"))?;
    ensure!(head.split(' ').nth(1) == Some("200"), "{method} {path}: {body}");
    serde_json::from_str(body).with_context(|| format!("no JSON in the answer to {method} {path}"))
}

async fn exchange(port: u16, method: &str, path: &str, body: &Value) -> anyhow::Result<String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
