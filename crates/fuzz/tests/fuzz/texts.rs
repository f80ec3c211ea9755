//! Short texts: ARNs, flags, output of credential processes, AWS error messages.

use aws_credential_types::provider::error::CredentialsError;
use broker::{
    Args,
    arn::{self, RoleArn},
    credential_process,
    refusal::Refusal,
};

const WORDS: &[&[u8]] = &[
    b"arn:aws:iam::111111111111:role/",
    b"arn:",
    b"aws-cn",
    b":",
    b"/",
    b"111111111111",
    b"role/",
    b"name",
    b"us-gov-",
    b"{\"Version\":1,",
    b"\"AccessKeyId\":\"A\",",
    b"\"SecretAccessKey\":\"S\"",
    b"}",
    b",",
    b"\"",
    b"ou-ab12-cdefg",
    b"r-ab12",
    b"\"Expiration\":\"2099-01-02T03:04:05+02:00\"",
    b"\"Expiration\":\"-292277022657-01-27T08:29:52Z\"",
    b"expired",
    b"\n",
    b"9999-12-31T23:59:60Z",
    b"\"",
    b"[",
    b"\xff",
];

#[test]
fn texts() {
    fuzz::Target::new("texts").words(WORDS).check(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(role) = text.parse::<RoleArn>() {
            assert_eq!(role.to_string(), text);
            assert!(arn::is_account_id(&role.account_id));
        }
        arn::partition_and_account(&text);
        regions::default_region(regions::partition_of_region(&text));
        drop(credential_process::parse(bytes));
        let parts = || text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let args = Args {
            role: Some(text.clone().into_owned()),
            external_id: Some(text.clone().into_owned()),
            ..Args::default()
        };
        if let Ok(config) = (Args { include: parts(), exclude: parts(), ..args }).validate() {
            assert!(!format!("{config:?}").contains('\n'));
        }
        let refusal = Refusal::of_source(&CredentialsError::provider_error(text.clone().into_owned()), &"the keys");
        let sentence = refusal.failure().error;
        assert!(sentence.len() <= 2_000 && !sentence.contains(['\n', '\r']), "{sentence:?}");
    });
}
