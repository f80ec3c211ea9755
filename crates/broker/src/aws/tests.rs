use super::*;
use tokio::sync::Barrier;

/// Many concurrent leases find that the same credentials have expired.
#[tokio::test]
async fn one_renewal_serves_all_who_need_it() {
    const MANY: usize = 20;
    let folder = tempfile::tempdir().expect("a folder");
    let (printed, asked) = (folder.path().join("printed.json"), folder.path().join("asked"));
    let json = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T"}"#;
    std::fs::write(&printed, json).expect("it can be written");
    let command = format!("sh -c 'echo >> {}; cat {}'", asked.display(), printed.display());
    let profiles = Profiles::parse(&format!("[profile p]\ncredential_process = {command}\n"), "").expect("it parses");
    // Reading the files again finds the same profile.
    let config = folder.path().join("config");
    std::fs::write(&config, format!("[profile p]\ncredential_process = {command}\n")).expect("it can be written");
    let env = [("AWS_CONFIG_FILE", config.display().to_string())].into_iter().collect();
    let aws = Aws::new(env, profiles, OwnIdentity::Keep);
    let times = || std::fs::read_to_string(&asked).unwrap_or_default().lines().count();
    let source = Source::Process { profile: "p".into() };

    let barrier = Barrier::new(MANY);
    let lease = async || {
        let is_second = std::cell::Cell::new(false);
        let attempt = async || {
            let given = aws.before(None, &source, &[]).await?;
            if is_second.replace(true) {
                return Ok(given);
            }
            barrier.wait().await;
            Err(Refusal::new(Kind::SourceExpired, "AWS says so"))
        };
        aws.renewing(Some(&source), attempt).await
    };
    let all = futures::future::join_all((0..MANY).map(|_| lease())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(times(), 2, "at first, and once for all who found them expired");
}
