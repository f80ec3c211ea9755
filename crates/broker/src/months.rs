//! Runs a broker for half a year of simulated time. The test moves its own process's clock, so STS is a function
//! here, not a separate simulated AWS.

use crate::{
    OwnIdentity,
    aws::Aws,
    config::Scope,
    directory::Directory,
    environment::Environment,
    leases::Leases,
    profiles::Profiles,
    single_flight::{now, pass},
};
use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use credentials::OneTimeKey;
use events::LeaseRequest;
use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::Path,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

const HALF_A_YEAR: Duration = Duration::from_hours(24 * 182);
/// Time between two syncs. The credentials of every source expire within it.
const PAUSE: Duration = Duration::from_hours(60);
/// Time between leases of one sync: longer than their lifetime.
const STEP: Duration = Duration::from_mins(58);
/// Time between two leases of one sync if credentials have no expiration: the time for which a collector keeps them.
const SHORT_STEP: Duration = Duration::from_mins(2);
/// Accounts to survey. The first has no role, and its credentials have no expiration.
const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
/// Accounts of the sources of the other two: a process with an expiration, and keys in the file.
const SOURCES: [&str; 2] = ["555555555555", "666666666666"];
const ROUTES: &str = "[profile endless]\ncredential_process = cat FOLDER/endless\n\
    [profile ends]\ncredential_process = cat FOLDER/ends\n\
    [profile middle]\nrole_arn = arn:aws:iam::444444444444:role/r\nsource_profile = ends\n\
    [profile chain]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = middle\n\
    [profile role]\nrole_arn = arn:aws:iam::333333333333:role/r\nsource_profile = keys\n\
    [profile keys]\naws_secret_access_key = s\naws_access_key_id = ";

/// Access key id that encodes its account and its end.
fn key(account: &str, end: SystemTime) -> String {
    format!("{account}E{}", end.duration_since(UNIX_EPOCH).expect("it is later").as_secs())
}

/// Account and end of an access key id.
fn parts(key: &str) -> (String, SystemTime) {
    let (account, end) = key.split_once('E').expect("it is one of ours");
    (account.to_owned(), UNIX_EPOCH + Duration::from_secs(end.parse().expect("a number")))
}

fn text(time: SystemTime) -> String {
    DateTime::from(time).fmt(Format::DateTime).expect("it can be written")
}

/// Writes the credentials that every source returns now.
fn renew_sources(folder: &Path) {
    let printed = |key: &str, more: &str| {
        format!(r#"{{"Version":1,"AccessKeyId":"{key}","SecretAccessKey":"s","SessionToken":"t"{more}}}"#)
    };
    let (day, end) = (now() + Duration::from_hours(30), now() + Duration::from_hours(12));
    let config = ROUTES.replace("FOLDER", &folder.display().to_string()) + &key(SOURCES[1], day);
    for (name, text) in [
        ("endless", printed(&key(ACCOUNTS[0], day), "")),
        ("ends", printed(&key(SOURCES[0], end), &format!(r#","Expiration":"{}""#, text(end)))),
        ("config", config),
    ] {
        std::fs::write(folder.join(name), text).expect("it can be written");
    }
}

/// STS calls that a broker makes: returns status and body.
fn sts(key: &str, has_token: bool, question: &str) -> (u16, String) {
    let (account, end) = parts(key);
    let value = |name: &str| question.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let action = value("Action").expect("a call has an action");
    let refused = |code: &str| {
        let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>no</Message>");
        (403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
    };
    if end <= now() {
        return refused(if has_token { "ExpiredToken" } else { "InvalidClientTokenId" });
    }
    if action == "GetFederationToken" {
        return refused("AccessDenied");
    }
    let result = if action == "AssumeRole" {
        let role = value("RoleArn").expect("a role").replace("%3A", ":");
        let account = role.split(':').nth(4).expect("an ARN has an account");
        let end = now() + Duration::from_secs(value("DurationSeconds").expect("a length").parse().expect("a number"));
        format!(
            "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>{}</Expiration></Credentials>",
            self::key(account, end),
            text(end)
        )
    } else {
        format!("<Arn>arn:aws:sts::{account}:assumed-role/r/s</Arn><UserId>u</UserId><Account>{account}</Account>")
    };
    (200, format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
}

/// Answers the requests of a connection, and records accounts whose keys had expired.
async fn serve(stream: TcpStream, ended: Rc<RefCell<BTreeSet<String>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut key, mut has_token, mut length) = (String::new(), false, 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().expect("a number"),
                "x-amz-security-token" => has_token = true,
                "authorization" => {
                    key =
                        value.split_once("Credential=").and_then(|(_, it)| it.split('/').next()).expect("a key").into();
                }
                _ => {}
            }
        }
        let mut question = vec![0; length];
        stream.read_exact(&mut question).await?;
        let (status, body) = sts(&key, has_token, &String::from_utf8_lossy(&question));
        let (account, end) = parts(&key);
        if end <= now() {
            ended.borrow_mut().insert(account);
        }
        let head = format!("HTTP/1.1 {status} x\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
    }
}

/// A broker without its bus.
struct Office {
    aws: Aws,
    scope: Scope,
    directory: Directory,
    leases: Leases,
}

impl Office {
    fn new(folder: &Path, endpoint: String, named: &[&str]) -> Self {
        let config = folder.join("config").display().to_string();
        let env: Environment = [("AWS_CONFIG_FILE", config), ("AWS_ENDPOINT_URL", endpoint)].into_iter().collect();
        let profiles = Profiles::load(&env).expect("the file is there");
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        Self {
            aws: Aws::new(env, profiles, OwnIdentity::Lease),
            scope: Scope::Profiles { named },
            directory: Directory::default(),
            leases: Leases::default(),
        }
    }

    /// Ids of the accounts that can be entered, and the refusals of the others.
    async fn accounts(&self) -> (Vec<String>, Vec<String>) {
        let found = self.directory.discover(&self.aws, &self.scope).await.expect("the profiles are there");
        let lost = found.unreachable.iter().map(|it| it.refusal.to_string()).collect();
        (found.accounts.into_iter().map(|it| it.account.id).collect(), lost)
    }

    async fn lease(&self, sync: &str, account: &str) -> Credentials {
        let key = OneTimeKey::generate();
        let request = LeaseRequest {
            request_id: "r".into(),
            sync_id: sync.into(),
            account_id: account.into(),
            service: "ec2".into(),
            actions: vec!["ec2:DescribeVpcs".into()],
            public_key: key.public_key(),
            fresh: false,
        };
        let route = self.directory.route(&self.aws, &self.scope, account).await.expect("a way");
        let (sealed, _) = self.leases.lease(&self.aws, &route, &request).await.expect("a lease");
        key.open(&request, &sealed).expect("it is sealed for us").credentials("test")
    }
}

/// Creates a broker for these profiles, the set of accounts whose expired keys were used, and the tasks of its STS.
async fn office(folder: &Path, named: &[&str]) -> (Office, Rc<RefCell<BTreeSet<String>>>, LocalSet) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let office = Office::new(folder, format!("http://{}", listener.local_addr().expect("it is bound")), named);
    let (ended, tasks) = (Rc::new(RefCell::new(BTreeSet::new())), LocalSet::new());
    let noted = ended.clone();
    tasks.spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(serve(stream, noted.clone()));
        }
    });
    (office, ended, tasks)
}

#[tokio::test]
async fn a_broker_finds_and_leases_for_half_a_year_whatever_its_sources_are() {
    let folder = tempfile::tempdir().expect("a folder");
    renew_sources(folder.path());
    let (office, ended, tasks) = office(folder.path(), &["endless", "chain", "role"]).await;
    let began = now();
    let running = async {
        while now() < began + HALF_A_YEAR {
            let sync = text(now());
            renew_sources(folder.path());
            assert_eq!(office.accounts().await, (ACCOUNTS.map(str::to_owned).to_vec(), Vec::new()), "{sync}");
            for _ in 0..2 {
                for account in ACCOUNTS {
                    let leased = office.lease(&sync, account).await;
                    let (of, end) = parts(leased.access_key_id());
                    assert!(of == account && end > now(), "{account} {sync}: {leased:?}");
                }
                pass(STEP);
                renew_sources(folder.path());
            }
            pass(PAUSE);
        }
    };
    tasks.run_until(running).await;
    assert_eq!(*ended.borrow(), BTreeSet::from([ACCOUNTS[0].to_owned()]), "others are renewed before their end");
}

/// Keys with a session token but no expiration (`saml2aws`, `aws-mfa`, SSM agent), and a rotated key.
#[tokio::test]
async fn new_keys_in_the_file_are_leased_when_the_old_ones_end_in_the_middle_of_a_sync() {
    for (token, is_process) in [("aws_session_token = t\n", false), ("", false), ("", true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |end: SystemTime| {
            let key = key(ACCOUNTS[0], end);
            let printed = format!(r#"{{"Version":1,"AccessKeyId":"{key}","SecretAccessKey":"s","SessionToken":"t"}}"#);
            let process = format!("credential_process = cat {}/printed\n", folder.path().display());
            let keys = format!("aws_access_key_id = {key}\naws_secret_access_key = s\n{token}");
            let profile = format!("[profile endless]\n{}", if is_process { process } else { keys });
            std::fs::write(folder.path().join("printed"), printed).expect("it can be written");
            std::fs::write(folder.path().join("config"), profile).expect("it can be written");
        };
        let (office, ended, tasks) = office(folder.path(), &["endless"]).await;
        let running = async {
            write(now() + SHORT_STEP / 2);
            assert_eq!(office.accounts().await, (vec![ACCOUNTS[0].to_owned()], Vec::new()));
            for _ in 0..5 {
                let leased = office.lease("sync", ACCOUNTS[0]).await;
                let (_, end) = parts(leased.access_key_id());
                assert!(end > now(), "{token:?}: {leased:?} has ended");
                pass(SHORT_STEP);
                write(now() + SHORT_STEP / 2);
            }
        };
        tasks.run_until(running).await;
        assert_eq!(*ended.borrow(), BTreeSet::from([ACCOUNTS[0].to_owned()]), "only the broker asks with ended keys");
    }
}
