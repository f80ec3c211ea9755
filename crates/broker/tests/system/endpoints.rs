//! Small real HTTP services that return credentials: instance metadata, a container's endpoint, Identity Center's
//! portal.

use aws_credential_types::Credentials;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Expiration of the credentials.
const END: &str = "2099-01-01T00:00:00Z";
/// The same time in a form used by programs that emulate AWS's endpoints.
const OTHER_END: &str = "2099-01-01 01:00:00.5+0100";

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

/// A service on a free port that runs until the end of the test's runtime.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Endpoint {
    /// Starts a service that calls this function for status and body.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, all) = (Arc::new(answer), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, all) = (answer.clone(), all.clone());
                tokio::spawn(async move { serve(stream, &*answer, &all).await });
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Starts an instance's metadata service, IMDSv2 only: without a session token it returns 401.
    pub(crate) async fn instance(role: &'static str, credentials: Credentials) -> Self {
        let listing = "/latest/meta-data/iam/security-credentials/";
        Self::start(move |asked| {
            let has_token =
                asked.headers.get("x-aws-ec2-metadata-token").is_some_and(|token| token == "metadata-token");
            match (asked.method.as_str(), asked.path.as_str()) {
                ("PUT", "/latest/api/token") => (200, "metadata-token".to_owned()),
                _ if !has_token => (401, String::new()),
                ("GET", path) if path == listing => (200, role.to_owned()),
                ("GET", path) if path == format!("{listing}{role}") => {
                    (200, given(&credentials).replace(END, OTHER_END))
                }
                _ => (404, String::new()),
            }
        })
        .await
    }

    /// Starts a container's endpoint at `/credentials`, which requires this token.
    pub(crate) async fn container(token: &'static str, credentials: Credentials) -> Self {
        Self::start(move |asked| {
            let shown = asked.headers.get("authorization").map(String::as_str);
            match (asked.path.as_str(), shown) {
                ("/credentials", Some(shown)) if shown == token => (200, given(&credentials).replace(END, OTHER_END)),
                ("/credentials", _) => (403, r#"{"code":"Forbidden","message":"no token"}"#.to_owned()),
                _ => (404, String::new()),
            }
        })
        .await
    }
}

/// Credentials as metadata services write them.
pub(crate) fn given(credentials: &Credentials) -> String {
    serde_json::json!({
        "Code": "Success",
        "Type": "AWS-HMAC",
        "LastUpdated": "2026-01-01T00:00:00Z",
        "AccessKeyId": credentials.access_key_id(),
        "SecretAccessKey": credentials.secret_access_key(),
        "Token": credentials.session_token(),
        "Expiration": END,
    })
    .to_string()
}

async fn serve(stream: TcpStream, answer: &(dyn Fn(&Asked) -> (u16, String) + Send + Sync), all: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream).await {
        let (status, body) = answer(&asked);
        all.lock().expect("no panic").push(asked);
        let head = format!(
            "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n",
            body.len()
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { method, path, headers })
}
