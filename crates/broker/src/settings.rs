//! Client settings of a profile: region, endpoints, FIPS, dual stack, retries, certificate authorities. Read from the
//! environment, else from the profile, as in AWS's own tools. Only the authorities come from a further file.
//! Implemented here because the SDK panics on a value that botocore accepts (`legacy`), and on one that botocore
//! rejects (0 attempts).

use crate::{environment::Environment, files, profiles::Profiles};
use aws_client::Authorities;
use events::{ApiEndpoint, ClientSettings, RetryMode};

/// Variable and configuration key of a boolean setting.
const IGNORE_ENDPOINTS: (&str, &str) = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");

/// A setting with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} is {value:?}: {expected}")]
pub struct SettingError {
    /// Variable, or key and profile.
    pub place: String,
    /// Invalid value.
    pub value: String,
    /// Expected values.
    pub expected: String,
}

/// Settings of one profile; `None` uses the environment only.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    env: &'a Environment,
    profiles: &'a Profiles,
    profile: Option<&'a str>,
}

/// Retry settings of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retries {
    /// `standard` or `adaptive`; unspecified if not set.
    pub mode: RetryMode,
    /// Attempts including the first; 0 if not set.
    pub max_attempts: u32,
    /// The mode was `legacy`, which is treated as `standard`.
    pub was_legacy: bool,
}

struct Found<'a> {
    place: String,
    text: &'a str,
}

impl<'a> Settings<'a> {
    /// Settings of this profile.
    pub fn new(env: &'a Environment, profiles: &'a Profiles, profile: Option<&'a str>) -> Self {
        Self { env, profiles, profile }
    }

    /// Reads `AWS_RETRY_MODE` and `AWS_MAX_ATTEMPTS`, or `retry_mode` and `max_attempts`.
    ///
    /// # Errors
    /// Fails if a value is invalid.
    pub fn retries(&self) -> Result<Retries, SettingError> {
        let mut retries = Retries::default();
        if let Some(mode) = self.choice(&["AWS_RETRY_MODE"], "retry_mode") {
            retries.was_legacy = mode.text.eq_ignore_ascii_case("legacy");
            retries.mode = match mode.text.to_ascii_lowercase().as_str() {
                "standard" | "legacy" => RetryMode::Standard,
                "adaptive" => RetryMode::Adaptive,
                _ => return Err(mode.refuse("it must be standard, adaptive or legacy")),
            };
        }
        if let Some(attempts) = self.choice(&["AWS_MAX_ATTEMPTS"], "max_attempts") {
            let number = attempts.text.parse().ok().filter(|number| *number > 0);
            retries.max_attempts = number.ok_or_else(|| attempts.refuse("it must be a number of at least 1"))?;
        }
        Ok(retries)
    }

    /// Returns the configured endpoint of a service, or of an API by its service id in AWS's settings; `None` for AWS's
    /// own. An endpoint for the service has precedence over one for all services.
    ///
    /// # Errors
    /// Fails if a variable is blank, which botocore treats as an endpoint. Also fails if no variable names the
    /// endpoint, and the profile's `[services]` section is missing or has no lines for the service.
    pub fn endpoint_url(&self, service: &str) -> Result<Option<&'a str>, SettingError> {
        if self.yes(IGNORE_ENDPOINTS) {
            return Ok(None);
        }
        // A service id in AWS's settings ("Service-specific endpoints", SDK reference).
        let id = service.replace('-', "_");
        let own = format!("AWS_ENDPOINT_URL_{}", id.to_ascii_uppercase());
        match self.variable(&[own.as_str(), "AWS_ENDPOINT_URL"]) {
            Some(blank) if blank.text.trim().is_empty() => Err(blank.refuse("it must be a URL")),
            Some(found) => Ok(Some(found.text.trim())),
            None => Ok(self.in_services(&id)?.or_else(|| self.key("endpoint_url"))),
        }
    }

    /// Returns the endpoint of a service in the profile's `[services]` section.
    fn in_services(&self, service: &str) -> Result<Option<&'a str>, SettingError> {
        let Some(section) = self.profile.and_then(|profile| self.profiles.set(profile, "services")) else {
            return Ok(None);
        };
        let place = || format!("services of profile {}", self.profile.unwrap_or_default());
        match self.profiles.services_mistake(section, service) {
            Some(mistake) => Err(Found { place: place(), text: section }.refuse(mistake)),
            None => Ok(self.profiles.service(section, service, "endpoint_url")),
        }
    }

    /// Returns the first configured region of this partition, else its default region.
    pub fn region(&self, partition: &str) -> &'a str {
        let fits = |region: &&str| regions::partition_of_region(region) == partition;
        self.regions().find(fits).unwrap_or_else(|| regions::default_region(partition))
    }

    /// Returns a region in which every account of this partition can be reached: the configured one, unless it is an
    /// opt-in region. There, STS assumes only roles of accounts that have opted in too.
    pub fn home_region(&self, partition: &str) -> &'a str {
        Some(self.region(partition))
            .filter(|region| regions::is_always_enabled(region))
            .unwrap_or_else(|| regions::default_region(partition))
    }

    /// Same as [`Self::home_region`], for the partition of the configured region.
    pub fn any_home_region(&self) -> &'a str {
        self.home_region(self.regions().next().map_or("aws", regions::partition_of_region))
    }

    /// Configured regions. `AWS_REGION` has precedence, as in version 2 of the AWS CLI and in the SDKs: Lambda, ECS and
    /// EKS set it. boto3 reads only `AWS_DEFAULT_REGION`.
    fn regions(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| self.env.get(name).map(str::trim));
        variables.into_iter().chain([self.key("region")]).flatten().filter(|region| !region.is_empty())
    }

    /// Whether `sts_regional_endpoints = legacy` asks for the global endpoint of STS. The setting is accepted but not
    /// followed: opt-in regions reject the sessions of that endpoint (IAM user guide, "Manage AWS STS in an AWS
    /// Region").
    ///
    /// # Errors
    /// Fails if the value is neither `legacy` nor `regional`.
    pub fn global_sts(&self) -> Result<bool, SettingError> {
        match self.choice(&["AWS_STS_REGIONAL_ENDPOINTS"], "sts_regional_endpoints") {
            Some(found) if found.text.eq_ignore_ascii_case("legacy") => Ok(true),
            Some(found) if !found.text.eq_ignore_ascii_case("regional") => {
                Err(found.refuse("it must be regional or legacy"))
            }
            _ => Ok(false),
        }
    }

    /// Settings for a collector's clients of a service.
    ///
    /// # Errors
    /// Fails if a value cannot be used.
    pub fn of_clients(&self, service: &str) -> Result<ClientSettings, SettingError> {
        let Retries { mode, max_attempts, .. } = self.retries()?;
        Ok(ClientSettings {
            endpoint_url: self.endpoint_url(service)?.unwrap_or_default().to_owned(),
            use_fips: self.yes(FIPS),
            use_dual_stack: self.yes(DUAL_STACK),
            retry_mode: mode.into(),
            max_attempts,
            authorities: self.authorities()?,
            endpoints: further_apis(service).iter().map(|api| self.api_endpoint(api)).collect::<Result<_, _>>()?,
        })
    }

    fn api_endpoint(&self, api: &str) -> Result<ApiEndpoint, SettingError> {
        Ok(ApiEndpoint { api: api.to_owned(), url: self.endpoint_url(api)?.unwrap_or_default().to_owned() })
    }

    /// Returns the certificates of `AWS_CA_BUNDLE` or `ca_bundle`, which replace the system's; empty if not set. Reads
    /// the file each time, because bundles are renewed. An empty variable counts as not set; botocore rejects it.
    ///
    /// # Errors
    /// Fails if the file cannot be read or contains no certificate.
    pub fn authorities(&self) -> Result<Authorities, SettingError> {
        let Some(bundle) = self.find(&["AWS_CA_BUNDLE"], "ca_bundle") else { return Ok(Authorities::new()) };
        match files::read(bundle.text.as_ref(), files::BUNDLE) {
            Ok(pem) => aws_client::authorities::of_pem(&pem).map_err(|error| bundle.refuse(error.to_string())),
            Err(error) => Err(bundle.refuse(format!("cannot read it: {error}"))),
        }
    }

    /// As in botocore, all values except `true` in any case count as false.
    fn yes(&self, (variable, key): (&str, &str)) -> bool {
        self.choice(&[variable], key).is_some_and(|found| found.text.eq_ignore_ascii_case("true"))
    }

    /// Lists boolean settings that count as false although their value may be meant as true.
    pub fn unclear(&self) -> Vec<SettingError> {
        let clear = |found: &Found| ["true", "false"].iter().any(|word| found.text.eq_ignore_ascii_case(word));
        let found = [IGNORE_ENDPOINTS, FIPS, DUAL_STACK].map(|(variable, key)| self.choice(&[variable], key));
        let unclear = found.into_iter().flatten().filter(|found| !clear(found));
        unclear.map(|found| found.refuse("only `true` counts as true, so it counts as false")).collect()
    }

    /// Returns the first of these variables that is not empty, else the profile's key.
    fn find(&self, variables: &[&str], key: &str) -> Option<Found<'a>> {
        self.variable(variables).or_else(|| {
            let place = format!("{key} of profile {}", self.profile?);
            Some(Found { place, text: self.key(key)? })
        })
    }

    /// Reads a keyword or a number. As in botocore, an empty variable still hides the profile's value, and surrounding
    /// whitespace is ignored.
    fn choice(&self, variables: &[&str], key: &str) -> Option<Found<'a>> {
        let is_set = |name: &&str| self.env.raw(name).is_some();
        let found = match variables.iter().find(|name| is_set(name)) {
            Some(name) => Found { place: (*name).into(), text: self.env.raw(name)?.trim() },
            None => self.find(&[], key)?,
        };
        Some(found).filter(|found| !found.text.is_empty())
    }

    fn variable(&self, names: &[&str]) -> Option<Found<'a>> {
        names.iter().find_map(|name| Some(Found { place: (*name).into(), text: self.env.get(name)? }))
    }

    fn key(&self, key: &str) -> Option<&'a str> {
        self.profiles.get(self.profile?, key)
    }
}

impl Found<'_> {
    fn refuse(self, expected: impl Into<String>) -> SettingError {
        SettingError { place: self.place, value: self.text.to_owned(), expected: expected.into() }
    }
}

/// APIs that a service's collector calls besides its own, by their ids in AWS's settings.
fn further_apis(service: &str) -> &'static [String] {
    catalog::service(service).map(|service| service.apis.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(env: &[(&str, &str)], config: &str, expected: &Expect) {
        let env: Environment = env.iter().copied().collect();
        let profiles = Profiles::parse(config, "").expect("the config parses");
        let settings = Settings::new(&env, &profiles, Some("a"));
        let text = match settings.of_clients("sts") {
            Ok(clients) => {
                format!("{} {} {clients:?}", settings.region("aws"), settings.global_sts().is_ok_and(|yes| yes))
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn nothing_is_set() {
        check(
            &[],
            "[profile a]\n",
            &expect![[
                r#"us-east-1 false ClientSettings { endpoint_url: "", use_fips: false, use_dual_stack: false, retry_mode: Unspecified, max_attempts: 0, authorities: [], endpoints: [] }"#
            ]],
        );
    }

    #[test]
    fn everything_is_set_in_the_profile() {
        let config = "[profile a]\nregion = eu-west-1\nendpoint_url = http://here\nuse_fips_endpoint = true\n\
            use_dualstack_endpoint = TRUE\nretry_mode = adaptive\nmax_attempts = 7\nsts_regional_endpoints = legacy\n";
        check(
            &[],
            config,
            &expect![[
                r#"eu-west-1 true ClientSettings { endpoint_url: "http://here", use_fips: true, use_dual_stack: true, retry_mode: Adaptive, max_attempts: 7, authorities: [], endpoints: [] }"#
            ]],
        );
    }

    #[test]
    fn the_environment_comes_first() {
        let env = [
            ("AWS_RETRY_MODE", "LEGACY"),
            ("AWS_MAX_ATTEMPTS", "2"),
            ("AWS_ENDPOINT_URL_STS", "http://sts"),
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_REGION", "eu-west-2"),
        ];
        let config =
            "[profile a]\nregion = eu-west-1\nretry_mode = adaptive\nmax_attempts = 7\nendpoint_url = http://here\n";
        check(
            &env,
            config,
            &expect![[
                r#"eu-west-2 false ClientSettings { endpoint_url: "http://sts", use_fips: false, use_dual_stack: false, retry_mode: Standard, max_attempts: 2, authorities: [], endpoints: [] }"#
            ]],
        );
    }

    #[test]
    fn endpoints_can_be_ignored_and_regions_of_other_partitions_are() {
        let env = [
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ("AWS_REGION", "cn-north-1"),
        ];
        check(
            &env,
            "[profile a]\nregion = eu-west-1\n",
            &expect![[
                r#"eu-west-1 false ClientSettings { endpoint_url: "", use_fips: false, use_dual_stack: false, retry_mode: Unspecified, max_attempts: 0, authorities: [], endpoints: [] }"#
            ]],
        );
    }

    #[test]
    fn each_api_has_its_own_endpoint() {
        let env: Environment = [
            ("AWS_ENDPOINT_URL_EC2", "http://ec2"),
            ("AWS_ENDPOINT_URL_AUTO_SCALING", "http://scaling"),
            ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://balancing"),
        ]
        .into_iter()
        .collect();
        let config =
            "[profile a]\nservices = s\n[services s]\nelastic_load_balancing =\n  endpoint_url = http://classic\n";
        let profiles = Profiles::parse(config, "").expect("the config parses");
        let clients = |env| Settings::new(env, &profiles, Some("a")).of_clients("ec2").expect("it holds");
        let urls = |clients: &ClientSettings| clients.endpoints.iter().map(|it| it.url.clone()).collect::<Vec<_>>();
        let of_env = clients(&env);
        assert_eq!(of_env.endpoint_url, "http://ec2");
        assert_eq!(urls(&of_env), ["http://scaling", "http://classic", "http://balancing"]);
        let nothing = Environment::default();
        assert_eq!(urls(&clients(&nothing)), ["", "http://classic", ""], "AWS's own, not EC2's");
    }

    #[test]
    fn accounts_are_asked_in_a_region_that_they_have() {
        for (region, partition, home) in [
            ("eu-west-1", "aws", "eu-west-1"),
            ("eu-south-1", "aws", "us-east-1"),
            ("cn-northwest-1", "aws-cn", "cn-northwest-1"),
            ("eu-west-1", "aws-cn", "cn-north-1"),
            ("eusc-de-east-1", "aws-eusc", "eusc-de-east-1"),
        ] {
            let env: Environment = [("AWS_REGION", region)].into_iter().collect();
            let profiles = Profiles::default();
            assert_eq!(Settings::new(&env, &profiles, None).home_region(partition), home, "{region} {partition}");
        }
    }

    #[test]
    fn a_variable_without_a_value_stands_for_itself() {
        let config = "[profile a]\nuse_fips_endpoint = true\nignore_configured_endpoint_urls = true\nmax_attempts = 7\n\
            endpoint_url = http://here\n";
        let env = [
            ("AWS_USE_FIPS_ENDPOINT", ""),
            ("AWS_USE_DUALSTACK_ENDPOINT", " "),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ""),
            ("AWS_MAX_ATTEMPTS", " 3 "),
            ("AWS_REGION", " "),
            ("AWS_CA_BUNDLE", ""),
        ];
        check(
            &env,
            config,
            &expect![[
                r#"us-east-1 false ClientSettings { endpoint_url: "http://here", use_fips: false, use_dual_stack: false, retry_mode: Unspecified, max_attempts: 3, authorities: [], endpoints: [] }"#
            ]],
        );
        let blank = expect![[r#"AWS_ENDPOINT_URL_STS is " ": it must be a URL"#]];
        check(&[("AWS_ENDPOINT_URL_STS", " "), ("AWS_ENDPOINT_URL", "http://all")], "[profile a]\n", &blank);
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_one_clear_sentence() {
        let nowhere =
            expect![[r#"AWS_CA_BUNDLE is "/nowhere/ca.pem": cannot read it: No such file or directory (os error 2)"#]];
        check(&[("AWS_CA_BUNDLE", "/nowhere/ca.pem")], "[profile a]\nca_bundle = /other\n", &nowhere);
        let empty = expect![[r#"ca_bundle of profile a is "/dev/null": it holds no certificate"#]];
        check(&[], "[profile a]\nca_bundle = /dev/null\n", &empty);
    }

    #[test]
    fn what_would_make_the_sdk_panic_is_one_clear_sentence() {
        check(
            &[("AWS_MAX_ATTEMPTS", "0")],
            "",
            &expect![[r#"AWS_MAX_ATTEMPTS is "0": it must be a number of at least 1"#]],
        );
        check(
            &[],
            "[profile a]\nretry_mode = often\n",
            &expect![[r#"retry_mode of profile a is "often": it must be standard, adaptive or legacy"#]],
        );
    }

    #[test]
    fn everything_but_true_means_no_and_is_said() {
        let config = "[profile a]\nuse_fips_endpoint = yes\nuse_dualstack_endpoint = False\n";
        let profiles = Profiles::parse(config, "").expect("it parses");
        let env: Environment = [("AWS_USE_DUALSTACK_ENDPOINT", "0")].into_iter().collect();
        let settings = Settings::new(&env, &profiles, Some("a"));
        let clients = settings.of_clients("sts").expect("the settings hold");
        assert_eq!((clients.use_fips, clients.use_dual_stack), (false, false));
        expect![[r#"
            use_fips_endpoint of profile a is "yes": only `true` counts as true, so it counts as false
            AWS_USE_DUALSTACK_ENDPOINT is "0": only `true` counts as true, so it counts as false"#]]
        .assert_eq(&settings.unclear().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        assert_eq!(Settings::new(&Environment::default(), &profiles, None).unclear(), []);
    }

    #[test]
    fn a_services_section_that_is_not_there_is_one_clear_sentence() {
        let config = "[profile a]\nservices = typo\nendpoint_url = http://here\n[services typos]\nsts =\n  endpoint_url = http://sts\n";
        let typo = expect![[r#"services of profile a is "typo": [services typo] is missing or empty"#]];
        check(&[], config, &typo);
        let text = expect![[r#"services of profile a is "s": sts of [services s] has no indented lines"#]];
        check(&[], "[profile a]\nservices = s\n[services s]\nsts = http://sts\n", &text);
        let all = expect![[
            r#"us-east-1 false ClientSettings { endpoint_url: "http://all", use_fips: false, use_dual_stack: false, retry_mode: Unspecified, max_attempts: 0, authorities: [], endpoints: [] }"#
        ]];
        check(&[("AWS_ENDPOINT_URL", "http://all")], config, &all);
    }
}
