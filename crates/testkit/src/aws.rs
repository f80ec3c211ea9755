//! A simulated AWS: moto with roles that have to trust their caller, faults on demand, and organizations to survey.

use crate::{http, server::Server, tools};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(1);

/// A simulated AWS for all accounts and regions.
pub struct Aws {
    // Before the folder, so that it is gone first.
    server: Server,
    dir: TempDir,
    port: u16,
}

/// Which organization [`Aws::organization`] makes; see `tests/simulated-aws/seeding/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Hub and two spokes with some of each kind; made in a few seconds.
    Small,
    /// Hub and three spokes in two regions with everything awkward, and more than one page of what AWS pages.
    Test,
    /// Hub and three spokes in two regions, several thousand assets.
    Demo,
}

/// An organization and the way into it.
#[derive(Clone, Debug)]
pub struct Organization {
    /// What makes the AWS SDKs reach it: `AWS_CONFIG_FILE`, `AWS_ENDPOINT_URL` and so on.
    pub env: BTreeMap<String, String>,
    /// Hub first, then the spokes.
    pub accounts: Vec<Account>,
    /// The regions that are enabled.
    pub regions: Vec<String>,
    /// What was made, as counts by kind.
    pub counts: Value,
    /// The folder of `config` and `credentials`.
    pub dir: PathBuf,
}

/// An account; its name is also that of its profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Name.
    pub name: String,
    /// Account id.
    pub id: String,
}

/// A call that the simulated AWS was asked, whether it was let through or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The account whose credentials signed it.
    pub account: String,
    /// The region that it was signed for.
    pub region: String,
    /// The signing name, such as `ec2`.
    pub service: String,
    /// The action, such as `DescribeVpcs`.
    pub action: String,
}

impl Aws {
    /// Starts one, empty but for what each account of AWS begins with.
    ///
    /// # Errors
    /// When moto is not there (`just tools`) or does not start; the end of its log is in the error.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("groma-aws-").tempdir()?;
        let port_file = dir.path().join("port");
        let mut command = simulated_aws("moto_server.py")?;
        command.args(["--quiet", "--port", "0", "--port-file"]).arg(&port_file);
        let mut server = Server::start("moto", command, dir.path())?;
        server.until_ready(PATIENCE, async || port_file.exists()).await?;
        let port = std::fs::read_to_string(&port_file)?.trim().parse()?;
        Ok(Self { server, dir, port })
    }

    /// `http://127.0.0.1:…`, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.server.id()
    }

    /// Fills it with an organization; once for each [`Aws`].
    ///
    /// # Errors
    /// When the seeding fails; its output is in the error.
    pub async fn organization(&self, size: Size) -> anyhow::Result<Organization> {
        let dir = self.dir.path().join("organization");
        let mut command = simulated_aws("organization.py")?;
        command.args(["--endpoint", &self.endpoint(), "--size", size.name(), "--dir"]).arg(&dir);
        let summary: Value = serde_json::from_str(&output(command, String::new()).await?)?;
        let env = std::fs::read(dir.join("env.json"))?;
        Ok(Organization {
            env: serde_json::from_slice::<BTreeMap<String, String>>(&env)?,
            accounts: accounts(&summary["accounts"])?,
            regions: strings(&summary["regions"]),
            counts: summary["counts"].clone(),
            dir,
        })
    }

    /// Acts in an account as its owner would, by boto3's names:
    /// `call("222222222222", "us-east-1", "ec2", "delete_volume", json!({"VolumeId": id}))`. Not among [`Aws::calls`].
    ///
    /// # Errors
    /// When AWS refuses; its answer is in the error.
    pub async fn call(
        &self,
        account: &str,
        region: &str,
        service: &str,
        operation: &str,
        parameters: Value,
    ) -> anyhow::Result<Value> {
        let mut answers = self.call_all(vec![json!([account, region, service, operation, parameters])]).await?;
        answers.pop().context("no answer")
    }

    /// [`Aws::call`] for several at once, which is faster: `json!([account, region, service, operation, parameters])`.
    ///
    /// # Errors
    /// When AWS refuses one; the ones before it are done.
    pub async fn call_all(&self, calls: Vec<Value>) -> anyhow::Result<Vec<Value>> {
        let mut command = simulated_aws("aws_call.py")?;
        command.args(["--endpoint", &self.endpoint()]);
        Ok(serde_json::from_str(&output(command, Value::Array(calls).to_string()).await?)?)
    }

    /// Runs a Python script of the workspace with `--endpoint` and these arguments, in the environment that has boto3, and returns
    /// what it prints.
    ///
    /// # Errors
    /// When it fails; what it says is in the error.
    pub async fn script(&self, path: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = tools::python_script(path)?;
        command.args(["--endpoint", &self.endpoint()]).args(arguments);
        output(command, String::new()).await
    }

    /// The calls so far, but not those of the seeding.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn calls(&self) -> anyhow::Result<Vec<Call>> {
        let calls = self.get("calls").await?;
        calls.as_array().context("no list of calls")?.iter().map(Call::read).collect()
    }

    /// Forgets the calls so far.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn clear_calls(&self) -> anyhow::Result<()> {
        http::request(self.port, "DELETE", "/_groma/calls", &Value::Null).await.map(drop)
    }

    /// Access key id, secret and token of every session of a role that it has given so far.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn sessions(&self) -> anyhow::Result<Vec<[String; 3]>> {
        let sessions = self.get("sessions").await?;
        let read = |session: &Value| strings(session).try_into().ok().context("not a session");
        sessions.as_array().context("no list of sessions")?.iter().map(read).collect()
    }

    /// Adds a rule, or a list of them, by which calls fail or wait. All fields are optional:
    /// `{account, region, service, action, skip, times, delay_seconds, status, code, message}`.
    ///
    /// # Errors
    /// When a field is unknown.
    pub async fn fault(&self, rules: Value) -> anyhow::Result<()> {
        let rules = if rules.is_array() { rules } else { json!([rules]) };
        self.control("faults", rules).await.map(drop)
    }

    /// Ends all faults.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn clear_faults(&self) -> anyhow::Result<()> {
        http::request(self.port, "DELETE", "/_groma/faults", &Value::Null).await.map(drop)
    }

    /// One of the other controls of `tests/simulated-aws/moto_server.py`, such as `latency` or `inspector2`.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn control(&self, name: &str, body: Value) -> anyhow::Result<Value> {
        http::request(self.port, "POST", &format!("/_groma/{name}"), &body).await
    }

    async fn get(&self, name: &str) -> anyhow::Result<Value> {
        http::request(self.port, "GET", &format!("/_groma/{name}"), &Value::Null).await
    }
}

impl Size {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Test => "test",
            Self::Demo => "demo",
        }
    }
}

impl Organization {
    /// The id of the account of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn account(&self, name: &str) -> anyhow::Result<&str> {
        let account = self.accounts.iter().find(|account| account.name == name);
        Ok(&account.with_context(|| format!("no account {name}"))?.id)
    }
}

impl Call {
    fn read(call: &Value) -> anyhow::Result<Self> {
        let [account, region, service, action] = strings(call).try_into().ok().context("not a call")?;
        Ok(Self { account, region, service, action })
    }
}

fn accounts(accounts: &Value) -> anyhow::Result<Vec<Account>> {
    let accounts = accounts.as_array().context("no accounts in the summary")?;
    let text = |account: &Value, name: &str| account[name].as_str().map(ToOwned::to_owned).context("no text");
    accounts.iter().map(|it| Ok(Account { name: text(it, "name")?, id: text(it, "id")? })).collect()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn simulated_aws(script: &str) -> anyhow::Result<Command> {
    tools::python_script(Path::new("tests/simulated-aws").join(script))
}

/// What the command prints; what it complains of is in the error.
async fn output(command: Command, input: String) -> anyhow::Result<String> {
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt as _;
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}
