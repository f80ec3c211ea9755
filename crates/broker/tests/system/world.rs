//! Fixtures of every test.

use aws_credential_types::Credentials;
use credentials::{Lease, LeaseError, LeaseRequester};
use events::{AccountsAnswer, AccountsRequest, Message, subjects};
use futures::StreamExt;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use testkit::{Aws, Nats, Size};
use tokio::{process::Child, sync::OnceCell, task::JoinHandle};

/// Errors of AssumeRole that say nothing about the role: status, code, and words of the refusal.
pub(crate) const NO_DENIALS: [(u16, &str, &str); 5] = [
    (400, "Throttling", "throttled: throttled: cannot assume"),
    (503, "ServiceUnavailable", "no credentials: AWS unreachable: cannot assume"),
    (403, "ExpiredToken", "no credentials: source credentials expired: cannot assume"),
    (403, "RegionDisabledException", "no credentials: configuration: cannot assume"),
    (418, "SomethingNew", "no credentials: refused: cannot assume"),
];

pub(crate) const HUB: &str = "111111111111";
pub(crate) const ALPHA: &str = "222222222222";
pub(crate) const BETA: &str = "333333333333";
pub(crate) const ALPHA_ROLE: &str = "arn:aws:iam::222222222222:role/cartography-read-only";
pub(crate) const BETA_ROLE: &str = "arn:aws:iam::333333333333:role/cartography-read-only";
/// External id required by the seeded role of beta.
pub(crate) const BETA_EXTERNAL_ID: &str = "survey-of-beta";
/// Sync id of all leases.
pub(crate) const SYNC: &str = "01K0EXAMPLE000000000000000";
const PATIENCE: Duration = Duration::from_secs(30);

/// A simulated AWS with an organization: the hub's user `groma`, and a read-only role in alpha and beta.
pub(crate) struct Cloud {
    pub(crate) aws: Aws,
    /// Access key of the hub's user.
    pub(crate) key: Credentials,
}

/// Bus, home directory and brokers of one test, in the shared cloud or its own.
pub(crate) struct World {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) home: tempfile::TempDir,
    pub(crate) bus: bus::Bus,
    nats: Nats,
    heard: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
    brokers: Vec<Broker>,
    secrets: Mutex<Vec<String>>,
}

struct Broker {
    child: Child,
    log: PathBuf,
}

impl Cloud {
    pub(crate) async fn new() -> Arc<Self> {
        let (aws, organization) = Aws::with_organization(Size::Small).await.expect("moto starts");
        let text = std::fs::read_to_string(organization.dir.join("credentials")).expect("the hub's keys");
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the key is there");
            line.trim_start_matches([' ', '=']).to_owned()
        };
        let key = Credentials::new(value("aws_access_key_id"), value("aws_secret_access_key"), None, None, "test");
        Arc::new(Self { aws, key })
    }

    /// The cloud shared by all tests that neither count calls nor make them fail.
    pub(crate) async fn shared() -> Arc<Self> {
        static CLOUD: OnceCell<Arc<Cloud>> = OnceCell::const_new();
        CLOUD.get_or_init(Self::new).await.clone()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::within(Cloud::shared().await).await
    }

    /// A world with its own cloud.
    pub(crate) async fn alone() -> Self {
        Self::within(Cloud::new().await).await
    }

    async fn within(cloud: Arc<Cloud>) -> Self {
        let nats = Nats::start().await.expect("nats-server starts");
        let bus = bus::Bus::connect(&bus::BusConfig::new(nats.url(), "test")).await.expect("NATS answers");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = bus.serve(">", "listener").await.expect("a listener");
        let listener = tokio::spawn(all.for_each({
            let heard = heard.clone();
            move |message| {
                heard.lock().expect("no panic").extend_from_slice(&message.payload);
                async {}
            }
        }));
        let secrets = Mutex::new(vec![cloud.key.secret_access_key().to_owned()]);
        let home = tempfile::tempdir().expect("a home directory");
        std::fs::create_dir(home.path().join(".aws")).expect("it is empty");
        Self { cloud, home, bus, nats, heard, listener, brokers: Vec::new(), secrets }
    }

    /// Writes `~/.aws/config`.
    pub(crate) fn config(&self, text: &str) {
        self.file(".aws/config", text);
    }

    /// Writes `~/.aws/credentials` with the hub's keys under `[hub]`.
    pub(crate) fn hub_keys(&self) {
        let key = &self.cloud.key;
        let (id, secret) = (key.access_key_id(), key.secret_access_key());
        self.file(".aws/credentials", &format!("[hub]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    }

    /// Writes a file in the home directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is below home")).expect("it can be made");
        std::fs::write(&path, text).expect("it can be written");
        path
    }

    /// Environment with the hub's keys.
    pub(crate) fn key_env(&self) -> Vec<(&'static str, String)> {
        let key = &self.cloud.key;
        vec![
            ("AWS_ACCESS_KEY_ID", key.access_key_id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", key.secret_access_key().to_owned()),
        ]
    }

    /// Starts a broker and waits until it is ready. If it ends instead, returns its status and output.
    pub(crate) async fn broker(&mut self, arguments: &[&str], env: &[(&str, String)]) -> Result<(), (i32, String)> {
        let Broker { mut child, log } = self.start(arguments, env);
        let patience = Instant::now() + PATIENCE;
        loop {
            if read(&log).contains("the broker is ready") {
                self.brokers.push(Broker { child, log });
                return Ok(());
            }
            if let Some(status) = child.try_wait().expect("it is our child") {
                return Err((status.code().unwrap_or(-1), read(&log)));
            }
            assert!(Instant::now() < patience, "the broker does not come up: {}", read(&log));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts a broker without waiting until it is ready.
    pub(crate) fn waiting_broker(&self, arguments: &[&str], env: &[(&str, String)]) -> Waiting {
        let Broker { child, log } = self.start(arguments, env);
        Waiting { _child: child, log }
    }

    fn start(&self, arguments: &[&str], env: &[(&str, String)]) -> Broker {
        let log = tempfile::Builder::new().prefix("broker-").tempfile_in(self.home.path()).expect("a log file");
        let (file, log) = log.keep().expect("it can be kept");
        let defaults = BTreeMap::from([
            ("HOME", self.home.path().display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("AWS_ENDPOINT_URL", self.cloud.aws.endpoint()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("NATS_URL", self.nats.url()),
            ("GROMA_LOG", "trace".to_owned()),
        ]);
        let child = tokio::process::Command::new(env!("CARGO_BIN_EXE_groma-broker"))
            .args(arguments)
            .env_clear()
            .envs(defaults)
            .envs(env.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .expect("the broker can be started");
        Broker { child, log }
    }

    /// Ends all brokers with SIGKILL.
    pub(crate) async fn kill_all(&mut self) {
        for broker in &mut self.brokers {
            broker.child.kill().await.ok();
        }
    }

    /// Ends the nth broker with SIGKILL.
    pub(crate) async fn kill(&mut self, nth: usize) {
        self.brokers[nth].child.kill().await.expect("it runs");
    }

    /// Log of all brokers.
    pub(crate) fn log(&self) -> String {
        self.brokers.iter().map(|broker| read(&broker.log)).collect()
    }

    pub(crate) async fn accounts(&self) -> AccountsAnswer {
        let payload = AccountsRequest {}.encode_to_vec();
        let answer = self.bus.ask(subjects::ACCOUNTS_REQUEST, payload, PATIENCE).await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        AccountsAnswer::decode(answer).expect("it is an answer")
    }

    /// Formats the accounts as lines of text.
    pub(crate) async fn accounts_text(&self) -> String {
        let answer = self.accounts().await;
        let reachable =
            answer.accounts.iter().map(|it| format!("{} {} {} {}", it.id, it.name, it.partition, it.home_region));
        let unreachable = answer.unreachable.iter().map(|it| {
            let failure = it.failure.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} {}: {failure}", it.id, it.name)
        });
        let failure = answer.failure.iter().map(|failure| format!("failure: {failure}"));
        reachable.chain(unreachable).chain(failure).collect::<Vec<_>>().join("\n")
    }

    pub(crate) async fn lease(&self, account: &str, service: &str, actions: &[&str]) -> Result<Lease, LeaseError> {
        self.lease_for(SYNC, account, service, actions).await
    }

    pub(crate) async fn lease_for(
        &self,
        sync: &str,
        account: &str,
        service: &str,
        actions: &[&str],
    ) -> Result<Lease, LeaseError> {
        let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
        let lease = LeaseRequester::new(self.bus.clone()).lease(sync, account, service, &actions, false).await?;
        self.keep_secret(&lease.credentials);
        Ok(lease)
    }

    /// Adds values that must not appear in logs or messages from now on.
    pub(crate) fn keep_secret(&self, credentials: &Credentials) {
        let mut secrets = self.secrets.lock().expect("no panic");
        secrets.push(credentials.secret_access_key().to_owned());
        secrets.extend(credentials.session_token().map(str::to_owned));
    }

    /// Returns a session of a role, as AWS returns it to an instance or a container.
    pub(crate) async fn session_of(&self, account: &str, role: &str) -> Credentials {
        let parameters = serde_json::json!({ "RoleArn": format!("arn:aws:iam::{account}:role/{role}"), "RoleSessionName": "i-0abc" });
        let answer =
            self.cloud.aws.call(account, "us-east-1", "sts", "assume_role", parameters).await.expect("a session");
        let text = |name: &str| answer["Credentials"][name].as_str().expect("it is there").to_owned();
        let credentials = Credentials::new(
            text("AccessKeyId"),
            text("SecretAccessKey"),
            Some(text("SessionToken")),
            Some(std::time::SystemTime::now() + Duration::from_hours(1)),
            "test",
        );
        self.keep_secret(&credentials);
        credentials
    }

    /// Allows this action to the hub's user.
    pub(crate) async fn allow_hub_user(&self, action: &str) {
        let document = serde_json::json!({ "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] });
        let named =
            serde_json::json!({ "UserName": "groma", "PolicyName": "more", "PolicyDocument": document.to_string() });
        self.cloud.aws.call(HUB, "us-east-1", "iam", "put_user_policy", named).await.expect("the user is there");
    }

    /// Returns the identity of the credentials according to AWS.
    pub(crate) async fn whose(&self, credentials: &Credentials) -> String {
        let answer = self.sts(credentials).get_caller_identity().send().await;
        answer.expect("AWS knows them").arn.unwrap_or_default()
    }

    /// Tries to assume a role with these credentials.
    pub(crate) async fn assume(&self, credentials: &Credentials, role: &str) -> Result<(), String> {
        let asked = self.sts(credentials).assume_role().role_arn(role).role_session_name("taken-over").send().await;
        asked.map(drop).map_err(|error| errors::chain(&error))
    }

    fn sts(&self, credentials: &Credentials) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
            .region(aws_types::region::Region::from_static("us-east-1"))
            .endpoint_url(self.cloud.aws.endpoint())
            .credentials_provider(credentials.clone())
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }

    /// An IAM client with these credentials.
    pub(crate) fn iam(&self, credentials: &Credentials) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
            .region(aws_types::region::Region::from_static("us-east-1"))
            .endpoint_url(self.cloud.aws.endpoint())
            .credentials_provider(credentials.clone())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// Calls of this STS action so far.
    pub(crate) async fn count(&self, action: &str) -> usize {
        let calls = self.cloud.aws.calls().await.expect("the cloud answers");
        calls.iter().filter(|call| call.service == "sts" && call.action == action).count()
    }

    /// Ends the brokers and searches their output for secrets.
    pub(crate) async fn end(mut self) {
        for broker in &mut self.brokers {
            broker.child.start_kill().ok();
            broker.child.wait().await.expect("it ends");
        }
        self.bus.ask("flush", Vec::new(), Duration::from_millis(100)).await.ok();
        self.listener.abort();
        let log = self.log();
        let heard = self.heard.lock().expect("no panic");
        assert!(!heard.is_empty() || self.brokers.is_empty(), "the listener hears what goes over the bus");
        for secret in self.secrets.lock().expect("no panic").iter() {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "a secret is logged: {}", line.unwrap_or_default());
            assert!(!heard.windows(secret.len()).any(|window| window == secret.as_bytes()), "a secret is on the bus");
        }
    }
}

/// A broker that need not become ready. Dropping it ends the process.
pub(crate) struct Waiting {
    _child: Child,
    log: PathBuf,
}

impl Waiting {
    fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until it has logged this text.
    pub(crate) async fn until(&self, words: &str) {
        let patience = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < patience, "it never says {words:?}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
