//! All questions of this program, one file each in `questions/`.

use crate::{near, parse::parse, question::Question};
use std::sync::LazyLock;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$((concat!($name, ".cypher"), include_str!(concat!("../questions/", $name, ".cypher")))),*]
    };
}

/// Names and texts of the files.
pub static FILES: &[(&str, &str)] = files![
    "access_key_old",
    "access_key_second",
    "access_key_unused",
    "account_at_root",
    "account_outside_organization",
    "auto_scaling_launch_configuration",
    "classic_load_balancer_plain",
    "elastic_ip_unused",
    "finding_network_reachable",
    "finding_old",
    "finding_with_exploit",
    "group_empty",
    "image_public",
    "inline_policy_decrypts_everything",
    "instance_exposed_admin_port",
    "instance_exposed_admin_role",
    "instance_exposed_critical_vulnerability",
    "instance_image_of_stranger",
    "instance_imds_v1",
    "instance_not_managed",
    "instance_public_address",
    "ipv6_address_routed_to_internet",
    "key_pair_shared",
    "kms_alias_of_unusable_key",
    "kms_grant_outside",
    "kms_key_deletion_pending",
    "kms_key_material_expiring",
    "kms_key_public",
    "kms_key_unusable_in_use",
    "lambda_admin_role",
    "lambda_alias_of_latest",
    "lambda_event_source_outside",
    "lambda_layer_outside",
    "lambda_old_runtime",
    "lambda_public",
    "launch_template_admin_port_open",
    "load_balancer_old_tls",
    "load_balancer_plain_backend",
    "load_balancer_plain_http",
    "network_acl_admin_ports_open",
    "organization_without_all_features",
    "organizational_unit_empty",
    "package_with_fix",
    "peering_routes_whole_network",
    "peering_with_unknown_account",
    "policy_admin_attached",
    "policy_allows_escalation",
    "policy_allows_except",
    "principal_assumes_admin_role",
    "principal_passes_admin_role",
    "reservation_of_other_account",
    "reserved_instance_ending",
    "role_admin_of_service",
    "role_confused_deputy",
    "role_federated_for_everyone",
    "role_trusts_everyone",
    "role_trusts_unknown_account",
    "role_unused",
    "role_without_external_id",
    "root_access_key",
    "root_without_mfa",
    "route_blackhole",
    "s3_account_block_incomplete",
    "s3_bucket_acl_for_all_users",
    "s3_bucket_acls_enabled",
    "s3_bucket_block_incomplete",
    "s3_bucket_plain_http",
    "s3_bucket_policy_outside",
    "s3_bucket_public",
    "s3_bucket_read_from_internet",
    "s3_bucket_without_log",
    "s3_bucket_without_mfa_delete",
    "s3_bucket_without_versions",
    "saml_provider_expiring",
    "secondary_public_address",
    "secret_old",
    "secret_read_from_internet",
    "secret_rotation_stuck",
    "secret_unused",
    "secret_without_rotation",
    "security_group_admin_ports_open",
    "security_group_all_ports_open",
    "security_group_data_ports_open",
    "security_group_default_with_rules",
    "security_group_unused",
    "server_certificate_expired",
    "snapshot_public",
    "snapshot_unencrypted",
    "sns_subscription_outside",
    "sns_subscription_plain_http",
    "sns_topic_unencrypted",
    "sqs_queue_public",
    "sqs_queue_without_dead_letters",
    "ssm_agent_silent",
    "ssm_parameter_plain_secret",
    "ssm_patch_missing",
    "subnet_public_by_default",
    "transit_gateway_flat",
    "transit_gateway_route_blackhole",
    "transit_gateway_shared_outside",
    "user_admin",
    "user_password_idle",
    "user_with_own_policy",
    "user_without_mfa",
    "volume_unattached",
    "volume_unencrypted",
    "vpc_default_in_use",
    "vpc_endpoint_open_policy",
];

static QUESTIONS: LazyLock<Vec<Question>> = LazyLock::new(|| {
    // A test reads the files that are compiled in here.
    let read = FILES.iter().map(|(file, text)| parse(file, text));
    read.collect::<Result<_, _>>().expect("the questions of this program are valid")
});

/// Every question, by name.
pub fn questions() -> &'static [Question] {
    &QUESTIONS
}

/// A name that no question has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no question is named {name:?}{}; `groma ask` lists all", near::suggestion(.near))]
pub struct UnknownQuestion {
    name: String,
    near: Vec<&'static str>,
}

/// Returns the question of a name.
///
/// # Errors
/// Fails if no question has the name. The error suggests similar ones.
pub fn find(name: &str) -> Result<&'static Question, UnknownQuestion> {
    let found = questions().iter().find(|question| question.name == name);
    let names = questions().iter().map(|question| question.name.as_str());
    found.ok_or_else(|| UnknownQuestion { name: name.to_owned(), near: near::near(name, names) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_question() {
        let errors: Vec<String> =
            FILES.iter().filter_map(|(file, text)| parse(file, text).err()).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        assert!(FILES.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted by name");
    }

    #[test]
    fn an_unknown_name_suggests_near_ones() {
        assert_eq!(find("access_key_old").map(|question| question.name.as_str()), Ok("access_key_old"));
        let error = find("acces-key-old").expect_err("unknown").to_string();
        assert!(error.starts_with("no question is named \"acces-key-old\": did you mean access_key_old"), "{error}");
        assert_eq!(
            find("zzz").expect_err("unknown").to_string(),
            "no question is named \"zzz\"; `groma ask` lists all"
        );
    }
}
