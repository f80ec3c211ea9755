//! A Neo4j whose HTTP API takes parameters and returns plans.

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use questions::{Parameter, Question};
use serde_json::{Map, Value, json};
use std::net::TcpListener;
use testkit::Neo4j;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A server of one test.
pub(crate) struct Graph {
    neo4j: Neo4j,
    port: u16,
}

/// Answer to a statement.
pub(crate) struct Answer {
    pub(crate) rows: Vec<Map<String, Value>>,
    /// Root operator, if the statement begins with `EXPLAIN`.
    pub(crate) plan: Value,
}

impl Graph {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let listen = format!("server.http.listen_address=127.0.0.1:{port}");
        let settings = ["server.http.enabled=true", "server.http_enabled_modules=TRANSACTIONAL_ENDPOINTS", &listen];
        let neo4j = Neo4j::start_in(&std::env::temp_dir(), &settings).await?;
        Ok(Self { neo4j, port })
    }

    pub(crate) async fn empty(&self) -> anyhow::Result<()> {
        self.neo4j.empty().await
    }

    /// Runs a statement in a separate transaction.
    pub(crate) async fn run(&self, statement: &str, parameters: &Value) -> anyhow::Result<Answer> {
        let answer = self.post(json!([{"statement": statement, "parameters": parameters}])).await;
        let answer = answer.with_context(|| format!("running: {statement}"))?;
        let result = &answer["results"][0];
        let columns: Vec<&str> = result["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let row = |data: &Value| {
            let cells = data["row"].as_array().cloned().unwrap_or_default();
            columns.iter().map(|&column| column.to_owned()).zip(cells).collect()
        };
        let rows = result["data"].as_array().into_iter().flatten().map(row).collect();
        Ok(Answer { rows, plan: result["plan"]["root"].clone() })
    }

    /// Runs statements in one transaction.
    pub(crate) async fn run_all(&self, statements: &[String], parameters: &Value) -> anyhow::Result<()> {
        let each = |statement: &String| json!({"statement": statement, "parameters": parameters});
        self.post(statements.iter().map(each).collect()).await.map(drop)
    }

    async fn post(&self, statements: Value) -> anyhow::Result<Value> {
        let body = json!({"statements": statements}).to_string();
        let user = BASE64_STANDARD.encode(format!("{}:{}", self.neo4j.user(), self.neo4j.password()));
        let head = format!(
            "POST /db/neo4j/tx/commit HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Basic {user}\r\n\
             Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        ensure!(head.split(' ').nth(1) == Some("200"), "{answer}");
        let answer: Value = serde_json::from_str(body).with_context(|| body.to_owned())?;
        let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
        ensure!(errors.is_empty(), "{}", errors[0]["message"].as_str().unwrap_or_default());
        Ok(answer)
    }
}

/// Parameters of a question with their defaults.
pub(crate) fn defaults(question: &Question) -> Value {
    let value = |parameter: &Parameter| (parameter.name.clone(), parameter.default.to_json());
    let mut values: Map<String, Value> = question.parameters.iter().map(value).collect();
    values.insert(questions::question::LIMIT.to_owned(), 1_000.into());
    Value::Object(values)
}
