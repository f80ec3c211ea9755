//! `credential_process`: a command that prints credentials (AWS CLI user guide, "Sourcing credentials with an external
//! process"). Implemented here because the SDK repeats the command and its output in logs and errors, and both may
//! contain secrets.

use crate::{expiration, ini};
use aws_credential_types::{Credentials, provider::error::CredentialsError};
use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::io::AsyncReadExt;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Time limit of the command. It ends before a collector stops waiting for its lease (30 s).
pub const TIMEOUT: Duration = Duration::from_secs(25);
/// Limit of the command's output in bytes. A session token has about 2 kB; AWS documents no limit.
const MOST_BYTES: usize = 64 << 10;

#[derive(serde::Deserialize, ZeroizeOnDrop)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// Runs the command like the AWS CLI and parses its output. There is no shell, so `$`, `&` and `#` are plain
/// characters. The SDKs of most other languages use a shell.
///
/// # Errors
/// Fails if the command fails, takes too long or prints anything else. Errors do not repeat the output.
pub async fn run(command: &str) -> Result<Credentials, CredentialsError> {
    let (printed, status) = tokio::time::timeout(TIMEOUT, output(command))
        .await
        .map_err(|_| CredentialsError::provider_timed_out(TIMEOUT))?
        .map_err(CredentialsError::provider_error)?;
    if !status.success() {
        return Err(CredentialsError::provider_error(format!("the command ended with {status}")));
    }
    parse(&printed).map_err(CredentialsError::provider_error)
}

/// Output and exit status of the command. Kills the command when its output exceeds the limit.
async fn output(command: &str) -> io::Result<(Zeroizing<Vec<u8>>, ExitStatus)> {
    let words = ini::words(command).ok_or_else(|| io::Error::other("a quote in the command is not closed"))?;
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot start the command: {error}")))?;
    // Allocated at its final capacity, because a growing buffer would leave copies of the secret in memory.
    let mut printed = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
    let pipe = child.stdout.take().ok_or_else(|| io::Error::other("the command has no output"))?;
    pipe.take(MOST_BYTES as u64 + 1).read_to_end(&mut printed).await?;
    if printed.len() > MOST_BYTES {
        return Err(io::Error::other(format!("the command printed more than {MOST_BYTES} bytes")));
    }
    Ok((printed, child.wait().await?))
}

/// Parses credentials from a command's output.
///
/// # Errors
/// Describes the problem without repeating the output, which may contain a secret.
pub fn parse(printed: &[u8]) -> Result<Credentials, &'static str> {
    // The parser's own message could repeat part of the output.
    let printed: Printed = serde_json::from_slice(printed)
        .map_err(|_| "the command did not print JSON with Version, AccessKeyId and SecretAccessKey")?;
    if printed.version != 1 {
        return Err("the command printed credentials of a version other than 1");
    }
    let end = printed.expiration.as_deref().map(expiration::parse).transpose();
    let end = end.map_err(|_| "the command printed an Expiration that is not an ISO 8601 time with a time zone")?;
    Ok(Credentials::new(
        printed.access_key_id.as_str(),
        printed.secret_access_key.as_str(),
        printed.session_token.clone(),
        end,
        "CredentialProcess",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_command_prints_are_credentials() {
        let json = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"hush","SessionToken":"t","Expiration":"2099-01-02T03:04:05+02:00"}"#;
        let credentials = run(&format!("echo '{json}'")).await.expect("they are credentials");
        assert_eq!((credentials.access_key_id(), credentials.session_token()), ("AKID", Some("t")));
        assert!(credentials.expiry().is_some());
    }

    #[tokio::test]
    async fn no_shell_reads_the_command() {
        let json = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"$HOME&#;"}"#;
        let credentials = run(&format!("printf %s '{json}' # no comment")).await;
        assert!(credentials.is_err(), "printf prints the further words, too");
        let json = json.replace('"', "\\\"");
        let credentials = run(&format!("printf %s \"{json}\"")).await.expect("they are credentials");
        assert_eq!(credentials.secret_access_key(), "$HOME&#;");
    }

    #[tokio::test]
    async fn what_goes_wrong_does_not_repeat_what_was_printed() {
        for command in [
            "sh -c 'echo hush; exit 3'",
            "echo '{\"Version\":1,\"AccessKeyId\":\"hush\"}'",
            "echo '{\"Version\":2,\"AccessKeyId\":\"hush\",\"SecretAccessKey\":\"hush\"}'",
            "echo '{\"Version\":1,\"AccessKeyId\":\"hush\",\"SecretAccessKey\":\"hush\",\"Expiration\":\"hush\"}'",
            "/nonexistent --password hush",
            "echo 'hush",
            "",
            "yes hush",
        ] {
            let error = run(command).await.expect_err("it is refused");
            let text = format!("{error:?} {}", errors::chain(&error));
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
