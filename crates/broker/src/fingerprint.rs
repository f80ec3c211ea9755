//! Hash of the configuration that decides which accounts are surveyed, how they are entered, and how clients connect.
//! Brokers with the same hash may share requests.
//!
//! The input of the hash is JSON of arrays, texts, numbers and nulls, built in this file. During an upgrade, brokers of
//! two versions with the same configuration must have the same hash. A version that reads a new setting therefore adds
//! it only if the setting has a value. A version that cannot do so changes [`FORMAT`].

use crate::{
    aws::Aws,
    config::{OwnIdentity, RoleName, Scope},
    environment::Environment,
    plan::{PlanError, Planner},
    profiles::Profiles,
    route::{Role, Route, Source, Sso},
    settings::Settings,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// First element of the hashed JSON.
const FORMAT: &str = "configuration of a broker, 1";

/// APIs whose endpoints count: of each service, in the order of the alphabet, its own and then the further ones.
fn apis() -> Vec<&'static str> {
    let mut services: Vec<_> = catalog::services().iter().collect();
    services.sort_by_key(|service| &service.name);
    services
        .into_iter()
        .flat_map(|service| [&service.name].into_iter().chain(&service.apis))
        .map(String::as_str)
        .collect()
}

/// An API that no setting names. Its endpoint is the general one.
const ANY_OTHER: &str = "any other";

/// Returns the SHA-256 of the configuration now in the files; `None` while a file cannot be read.
pub async fn read(aws: Arc<Aws>, scope: Scope) -> Option<Vec<u8>> {
    tokio::task::spawn_blocking(move || of(&aws, &scope)).await.ok().flatten()
}

fn of(aws: &Aws, scope: &Scope) -> Option<Vec<u8>> {
    Some(Sha256::digest(encoded(aws, scope)?.to_string().as_bytes()).to_vec())
}

fn encoded(aws: &Aws, scope: &Scope) -> Option<Value> {
    let env = aws.setup().environment();
    let profiles = Profiles::load(env).ok()?;
    profiles.still_open(&aws.setup().profiles()).ok()?;
    let planner = Planner::new(env, &profiles);
    let ways = match scope {
        Scope::Current { profile, .. } => vec![(String::new(), planner.caller(profile.as_deref()))],
        Scope::Organization(wanted) => vec![(String::new(), planner.caller(wanted.profile.as_deref()))],
        Scope::Profiles { named } => planner.all(named).ok()?,
    };
    let ways: Vec<Value> = ways.iter().map(|(name, route)| json!([name, way(env, &profiles, name, route)])).collect();
    let own_identity = match aws.own_identity() {
        OwnIdentity::Keep => "keep",
        OwnIdentity::Lease => "lease",
    };
    Some(json!([FORMAT, encoded_scope(scope), own_identity, ways]))
}

fn encoded_scope(scope: &Scope) -> Value {
    let of_role = |role: &RoleName| json!([role.name, role.external_id]);
    match scope {
        Scope::Current { profile, role } => json!(["current", profile, role.as_ref().map(of_role)]),
        Scope::Profiles { named } => json!(["profiles", named]),
        Scope::Organization(it) => {
            json!(["organization", it.profile, of_role(&it.role), it.include, it.exclude])
        }
    }
}

/// Encodes a route without the parts that may differ between replicas: session names, paths of token files, rotated
/// keys. For an invalid route, the wording of the error is left out.
fn way(env: &Environment, profiles: &Profiles, name: &str, route: &Result<Route, PlanError>) -> Value {
    let Ok(route) = route else { return json!(["unusable", profiles.get(name, "role_arn")]) };
    let of_role = |role: &Role| json!([role.arn.to_string(), role.external_id, role.region]);
    let roles: Vec<Value> = route.roles.iter().map(of_role).collect();
    let settings = Settings::new(env, profiles, route.profile.as_deref());
    let mut way = vec![source(env, profiles, &route.source), json!(roles), clients(settings)];
    way.extend(regions_of(settings));
    json!(way)
}

/// Encodes the configured regions, where roles of an organization are assumed and calls without a role are made. `None`
/// for AWS's default regions.
fn regions_of(settings: Settings<'_>) -> Option<Value> {
    let home = regions::partition_of_region(settings.any_home_region());
    let all = regions::partitions().map(|partition| (partition, settings.region(partition)));
    let own: Vec<_> = all.filter(|(partition, region)| *region != regions::default_region(partition)).collect();
    (home != "aws" || !own.is_empty()).then(|| json!(["regions", home, own]))
}

fn source(env: &Environment, profiles: &Profiles, source: &Source) -> Value {
    match source {
        Source::Environment => json!(["environment", env.keys().ok().map(|keys| account_bits(keys.id))]),
        Source::Keys { profile, file } => {
            json!(["keys", profiles.static_keys(profile, *file).map(|keys| account_bits(keys.id))])
        }
        Source::Process { profile } => json!(["process", profiles.get(profile, "credential_process")]),
        Source::Sso(Sso { account_id, role_name, region, start_url, session, .. }) => {
            json!(["sso", account_id, role_name, region, start_url, session])
        }
        Source::WebIdentity(identity) => json!(["web identity", identity.role.to_string(), identity.region]),
        Source::EcsContainer => json!(["container"]),
        Source::Ec2InstanceMetadata { .. } => json!(["instance"]),
    }
}

/// Encodes the client settings: those for all APIs, then the endpoints of APIs that have their own.
fn clients(settings: Settings<'_>) -> Value {
    let endpoint = |api: &str| settings.endpoint_url(api).map_or(json!(false), |url| json!(url));
    let of_all = endpoint(ANY_OTHER);
    let own = apis().into_iter().map(|api| (api, endpoint(api))).filter(|(_, url)| *url != of_all);
    let own: Vec<Value> = own.map(|(api, url)| json!([api, url])).collect();
    let Ok(it) = settings.of_clients("sts") else { return json!(["unusable", of_all, own]) };
    let mut authorities = Sha256::new();
    for authority in &it.authorities {
        authorities.update((authority.len() as u64).to_be_bytes());
        authorities.update(authority);
    }
    let authorities = events::hex(&authorities.finalize());
    json!([it.use_fips, it.use_dual_stack, it.retry_mode, it.max_attempts, authorities, of_all, own])
}

/// Part of an access key id that stays the same when keys of an account are rotated: four letters for the kind of key,
/// and eight that encode the account. Nothing depends on the encoding.
fn account_bits(access_key_id: &str) -> &str {
    access_key_id.get(..12).unwrap_or(access_key_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Organization;
    use expect_test::expect;

    /// The JSON before hashing.
    fn of_config(config: &str, more: &[(&str, &str)], scope: &Scope) -> Value {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        std::fs::write(&file, config).expect("it can be written");
        let file = file.display().to_string();
        let env: Environment = more.iter().copied().chain([("AWS_CONFIG_FILE", file.as_str())]).collect();
        encoded(&Aws::new(env, Profiles::default(), OwnIdentity::Keep), scope).expect("it can be read")
    }

    /// If these values change, brokers of two versions no longer serve together.
    #[test]
    fn the_encoding_is_that_of_earlier_versions() {
        let config = "[profile a]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = hub\nexternal_id = x-1\n\
            region = eu-west-1\n[profile hub]\naws_access_key_id = AKIAAAAABBBBCCCCDDDD\naws_secret_access_key = s\n\
            [profile p]\ncredential_process = print --keys\nuse_fips_endpoint = true\nretry_mode = adaptive\nmax_attempts = 4\n\
            [profile sso]\nsso_account_id = 333333333333\nsso_role_name = Audit\nsso_session = s\n\
            [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://start\n\
            [profile web]\nrole_arn = arn:aws:iam::444444444444:role/w\nweb_identity_token_file = /token\n\
            [profile ecs]\nrole_arn = arn:aws:iam::555555555555:role/e\ncredential_source = EcsContainer\n\
            [profile mfa]\nrole_arn = arn:aws:iam::666666666666:role/m\nsource_profile = hub\nmfa_serial = m\n";
        let env = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_AUTO_SCALING", "http://scaling")];
        let encoded = of_config(config, &env, &Scope::Profiles { named: Vec::new() });
        expect![[r#"["configuration of a broker, 1",["profiles",[]],"keep",[["a",[["keys","AKIAAAAABBBB"],[["arn:aws:iam::222222222222:role/r","x-1","eu-west-1"]],[false,false,0,0,"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","http://all",[["auto_scaling","http://scaling"]]],["regions","aws",[["aws","eu-west-1"]]]]],["hub",[["keys","AKIAAAAABBBB"],[],[false,false,0,0,"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","http://all",[["auto_scaling","http://scaling"]]]]],["p",[["process","print --keys"],[],[true,false,2,4,"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","http://all",[["auto_scaling","http://scaling"]]]]],["sso",[["sso","333333333333","Audit","eu-west-1","https://start","s"],[],[false,false,0,0,"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","http://all",[["auto_scaling","http://scaling"]]]]],["web",[["web identity","arn:aws:iam::444444444444:role/w","us-east-1"],[],[false,false,0,0,"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","http://all",[["auto_scaling","http://scaling"]]]]],["ecs",[["container"],[["arn:aws:iam::555555555555:role/e",null,"us-east-1"]],[false,false,0,0,"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","http://all",[["auto_scaling","http://scaling"]]]]],["mfa",["unusable","arn:aws:iam::666666666666:role/m"]]]]"#]].assert_eq(&encoded.to_string());
        expect!["30f0045d31cadd682f61ff159b94ee064b325414250f15101706dfa68b8cc7ba"]
            .assert_eq(&events::hex(&Sha256::digest(encoded.to_string().as_bytes())));
    }

    #[test]
    fn scopes_are_written_out() {
        let role = RoleName { name: "r".into(), external_id: Some("x-1".into()) };
        let caller = Some("p".to_owned());
        let current = Scope::Current { profile: caller.clone(), role: Some(role.clone()) };
        expect![[r#"["current","p",["r","x-1"]]"#]].assert_eq(&encoded_scope(&current).to_string());
        let (include, exclude) = (vec!["ou-1".into()], vec!["111111111111".into()]);
        let organization = Organization { profile: caller, role, include, exclude };
        expect![[r#"["organization","p",["r","x-1"],["ou-1"],["111111111111"]]"#]]
            .assert_eq(&encoded_scope(&Scope::Organization(organization)).to_string());
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
    fn the_region_counts_where_no_role_names_it() {
        let keys = "[default]\naws_access_key_id = AKIAAAAABBBBCCCCDDDD\naws_secret_access_key = x\n";
        let (role, profile) = (RoleName { name: "r".into(), external_id: None }, None);
        let organization = Organization { profile, role, include: Vec::new(), exclude: Vec::new() };
        for scope in [Scope::Current { profile: None, role: None }, Scope::Organization(organization)] {
            let of = |more: &[(&str, &str)]| of_config(keys, more, &scope);
            let west = of(&[("AWS_REGION", "eu-west-1")]);
            assert_eq!(west, of(&[("AWS_DEFAULT_REGION", "eu-west-1")]), "{scope:?}");
            for other in ["eu-west-2", "us-east-1", "cn-north-1"] {
                assert_ne!(west, of(&[("AWS_REGION", other)]), "{scope:?} {other}");
            }
            assert_ne!(of(&[]), of(&[("AWS_REGION", "cn-north-1")]), "{scope:?}");
            assert_eq!(of(&[]), of(&[("AWS_REGION", "us-east-1")]), "{scope:?}");
        }
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
