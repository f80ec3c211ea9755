//! A hash of the configuration that decides which accounts are surveyed, how they are entered, and how clients connect. Two
//! brokers with the same one may share requests.

use crate::{
    aws::Aws,
    config::Scope,
    environment::Environment,
    plan::{PlanError, Planner},
    profiles::Profiles,
    route::{Route, Source},
    settings::Settings,
};
use sha2::{Digest, Sha256};
use std::{fmt::Write, sync::Arc};

/// SHA-256 of the configuration as it stands in the files now. `None` while a file can no longer be read.
pub async fn read(aws: Arc<Aws>, scope: Scope) -> Option<Vec<u8>> {
    tokio::task::spawn_blocking(move || of(&aws, &scope)).await.ok().flatten()
}

fn of(aws: &Aws, scope: &Scope) -> Option<Vec<u8>> {
    let env = aws.environment();
    let profiles = Profiles::load(env).ok()?;
    profiles.still_open(&aws.profiles()).ok()?;
    let planner = Planner::new(env, &profiles);
    let ways = match scope {
        Scope::Current { profile, .. } => vec![(String::new(), planner.caller(profile.as_deref()))],
        Scope::Organization(wanted) => vec![(String::new(), planner.caller(wanted.profile.as_deref()))],
        Scope::Profiles { named } => planner.all(named).ok()?,
    };
    let mut text = format!("{scope:?} {:?}\n", aws.own_identity());
    for (name, route) in ways {
        // A String takes any text.
        let _ = writeln!(text, "{name:?} {}", described(env, &profiles, &route));
    }
    Some(Sha256::digest(text.as_bytes()).to_vec())
}

/// A route without what may differ between replicas: names of sessions, paths of token files, rotated keys.
fn described(env: &Environment, profiles: &Profiles, route: &Result<Route, PlanError>) -> String {
    let route = match route {
        Ok(route) => route,
        Err(error) => return error.to_string(),
    };
    let roles: Vec<_> = route.roles.iter().map(|role| (&role.arn, &role.external_id, &role.region)).collect();
    let source = match &route.source {
        Source::Environment => format!("environment {:?}", env.keys().map(|keys| account_bits(keys.id))),
        Source::Keys { profile, file } => {
            format!("keys {:?}", profiles.static_keys(profile, *file).map(|keys| account_bits(keys.id)))
        }
        Source::Process { profile } => format!("process {:?}", profiles.get(profile, "credential_process")),
        Source::WebIdentity(identity) => format!("web identity {:?} {}", identity.role, identity.region),
        other @ (Source::Sso(_) | Source::EcsContainer | Source::Ec2InstanceMetadata { .. }) => format!("{other:?}"),
    };
    let settings = Settings::new(env, profiles, route.profile.as_deref());
    // With EC2's come the endpoints of all further APIs.
    let clients = ["ec2", "iam", "inspector2", "organizations", "sts"].map(|service| settings.of_clients(service));
    format!("{source} {roles:?} {clients:?}")
}

/// The part of an access key id that stays when keys of an account are rotated: four letters of the kind of key, and the
/// next eight, which encode the account. Nothing depends on how.
fn account_bits(access_key_id: &str) -> &str {
    access_key_id.get(..12).unwrap_or(access_key_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OwnIdentity;

    fn of_config(config: &str, more: &[(&str, &str)], scope: &Scope) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        std::fs::write(&file, config).expect("it can be written");
        let file = file.display().to_string();
        let env: Environment = more.iter().copied().chain([("AWS_CONFIG_FILE", file.as_str())]).collect();
        of(&Aws::new(env, Profiles::default(), OwnIdentity::Keep), scope).expect("it can be read")
    }

    fn hub(key: &str) -> String {
        format!(
            "[profile a]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = hub\n[profile hub]\n\
             aws_access_key_id = {key}\naws_secret_access_key = x\n"
        )
    }

    #[test]
    fn accounts_ways_and_settings_count() {
        let profiles = Scope::Profiles { named: Vec::new() };
        let one = of_config(&hub("AKIAAAAABBBBCCCCDDDD"), &[], &profiles);
        let same = |config: &str, more: &[(&str, &str)]| of_config(config, more, &profiles) == one;
        assert!(same(&hub("AKIAAAAABBBBXXXXYYYY"), &[]), "rotated keys are no difference");
        assert!(!same(&hub("AKIAZZZZBBBBCCCCDDDD"), &[]), "keys of another account are");
        assert!(!same(&hub("AKIAAAAABBBBCCCCDDDD"), &[("AWS_ENDPOINT_URL_EC2", "http://ec2")]));
        assert!(!same(&hub("AKIAAAAABBBBCCCCDDDD"), &[("AWS_REGION", "eu-west-1")]));
        let more = hub("AKIAAAAABBBBCCCCDDDD")
            + "[profile b]\nrole_arn = arn:aws:iam::333333333333:role/r\nsource_profile = hub\n";
        assert!(!same(&more, &[]));
        let named = Scope::Profiles { named: vec!["a".into()] };
        assert_ne!(of_config(&hub("AKIAAAAABBBBCCCCDDDD"), &[], &named), one);
    }

    #[test]
    fn what_differs_between_replicas_does_not_count() {
        let scope = Scope::Current { profile: None, role: None };
        let pod = |name: &str, token: &str| {
            let role = ("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/hub");
            of_config("", &[role, ("AWS_WEB_IDENTITY_TOKEN_FILE", token), ("AWS_ROLE_SESSION_NAME", name)], &scope)
        };
        assert_eq!(pod("broker-1", "/a/token"), pod("broker-2", "/b/token"));
    }
}
