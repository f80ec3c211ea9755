use super::*;
use proptest::prelude::*;

/// Whether a statement with these fields is open.
fn open(fields: &str) -> bool {
    let document = format!(r#"{{"Statement": [{{"Effect": "Allow", "Action": "kms:*", {fields}}}]}}"#);
    anonymous(&document).unwrap_or_else(|error| panic!("{error}: {document}")).is_some()
}

fn principal(json: &str) -> bool {
    open(&format!(r#""Principal": {json}"#))
}

fn condition(json: &str) -> bool {
    open(&format!(r#""Principal": "*", "Condition": {json}"#))
}

#[test]
fn actions_of_open_statements_are_collected() {
    let document = r#"{"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": ["kms:Encrypt", "kms:Decrypt"]},
        {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt"},
        {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "kms:*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Put*"}]}"#;
    assert_eq!(anonymous(document).expect("a policy"), Some(vec!["kms:Decrypt".into(), "kms:Encrypt".into()]));
    let single = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "NotAction": "kms:*"}}"#;
    assert_eq!(anonymous(single).expect("a policy"), Some(Vec::new()));
    assert_eq!(anonymous(r#"{"Statement": []}"#).expect("a policy"), None);
}

#[test]
fn principals() {
    for json in [
        r#""*""#,
        r#"["111111111111", "*"]"#,
        r#"{"AWS": "*"}"#,
        r#"{"Federated": ["a", "*"]}"#,
        r#"{"AWS": "arn:aws:iam::1234*:root"}"#,
        r#"{"AWS": "arn:aws:iam::*:root"}"#,
        r#"{"AWS": "arn:aws:apigateway:us-east-1::/restapis/x"}"#,
    ] {
        assert!(principal(json), "{json}");
    }
    for json in [
        r#"{"CanonicalUser": "*"}"#,
        r#"{"AWS": "arn:aws:iam::111111111111:root"}"#,
        r#"{"AWS": "arn:aws:iam::cloudfront:user/x"}"#,
        r#"{"AWS": "111111111111"}"#,
        r#"{"AWS": 111111111111}"#,
        r#"{"AWS": "AIDAEXAMPLE"}"#,
        r#"{"AWS": "arn:aws:s3:::*"}"#,
        r#"{"Service": "ec2.amazonaws.com"}"#,
        r#"{"Service": "delivery.logs.amazonaws.com"}"#,
        r#"{"Service": "a.b.c.amazonaws.com"}"#,
        r#"{"Federated": "accounts.google.com"}"#,
    ] {
        assert!(!principal(json), "{json}");
    }
    assert!(open(r#""NotPrincipal": {"AWS": "111111111111"}"#));
    assert!(!open(r#""NotPrincipal": {"AWS": "*"}"#), "no principal is left");
    assert!(!open(r#""Resource": "*""#), "nobody is named");
}

#[test]
fn conditions_that_a_stranger_can_meet() {
    for json in [
        "{}",
        r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
        r#"{"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}"#,
        r#"{"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}"#,
        r#"{"StringLike": {"aws:SourceAccount": "1*"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}"#,
        r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}"#,
        r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-a/ou-b/"}}"#,
        r#"{"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}"#,
        r#"{"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/account}"}}"#,
        // A stranger has a user of any name, a VPC of any range, and sends the context of an encryption.
        r#"{"StringEquals": {"aws:username": "alice"}}"#,
        r#"{"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}"#,
        r#"{"StringEquals": {"kms:EncryptionContext:sub": "orders"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}"#,
        r#"{"IpAddress": {"aws:SourceIp": "2000::/3"}}"#,
        r#"{"StringLike": {"aws:SourceIp": "*"}}"#,
        r#"{"BoolIfExists": {"aws:PrincipalIsAWSService": "true"}}"#,
        // A request without the key passes.
        r#"{"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}"#,
        r#"{"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/*"}}"#,
        r#"{"StringNotEquals": {"aws:SourceAccount": "111111111111"}}"#,
        r#"{"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
        r#"{"Bool": {"aws:PrincipalIsAWSService": "false"}}"#,
    ] {
        assert!(condition(json), "{json}");
    }
}

#[test]
fn conditions_that_a_stranger_cannot_meet() {
    for json in [
        r#"{"StringEquals": {"KMS:CallerAccount": "111111111111", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}}"#,
        r#"{"StringEquals": {"aws:SourceAccount": "1*"}}"#,
        r#"{"StringEquals": {"aws:SourceOrgID": "o-1"}}"#,
        r#"{"StringEquals": {"aws:SourceAccount": 111111111111}}"#,
        r#"{"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}"#,
        r#"{"StringEquals": {"aws:PrincipalOrgID": "${aws:resourceOrgID}"}}"#,
        r#"{"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}"#,
        r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:ResourceAccount}:role/app"}}"#,
        r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111*"}}"#,
        r#"{"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:111111111111:function:f"}}"#,
        r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:a/b:ref:refs/heads/main"}}"#,
        r#"{"StringEqualsIfExists": {"aws:PrincipalAccount": "111111111111"}}"#,
        r#"{"Bool": {"aws:PrincipalIsAWSService": true}}"#,
        r#"{"StringEquals": {"aws:PrincipalIsAWSService": "true"}}"#,
        r#"{"StringLike": {"aws:userid": ["AROAEXAMPLE:*", "AIDAEXAMPLE"]}}"#,
        r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/*"}}"#,
        r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}"#,
        r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket/*"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
        r#"{"Bool": {"aws:PrincipalIsAWSService": "true"}}"#,
        // All must be met, of one operator and of several.
        r#"{"StringEquals": {"aws:SourceAccount": "111111111111"}, "ArnLike": {"aws:SourceArn": "*"}}"#,
        r#"{"ArnLike": {"aws:SourceArn": "*", "aws:PrincipalArn": "arn:aws:iam::111111111111:root"}}"#,
    ] {
        assert!(!condition(json), "{json}");
    }
}

/// Actions that are open although a statement denies some to everyone.
fn left(allow: &str, deny: &str) -> Option<Vec<String>> {
    let document =
        format!(r#"{{"Statement": [{{"Effect": "Allow", "Principal": "*", {allow}}}, {{"Effect": "Deny", {deny}}}]}}"#);
    anonymous(&document).unwrap_or_else(|error| panic!("{error}: {document}"))
}

#[test]
fn denials_that_everyone_is_subject_to_count() {
    let reading = r#""Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]"#;
    let all = r#""Principal": "*", "Resource": "*""#;
    for deny in [
        format!(r#"{all}, "Action": "S3:get*""#),
        format!(
            r#"{all}, "Action": "s3:GetObject", "Condition": {{"StringNotEquals": {{"aws:PrincipalOrgID": "o-1"}}}}"#
        ),
        format!(r#"{all}, "NotAction": "s3:List*""#),
        r#""NotPrincipal": {"AWS": "111111111111"}, "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::c/*""#
            .into(),
        r#""Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b*""#.into(),
        format!(
            r#"{all}, "Action": "s3:GetObject", "Condition": {{"BoolIfExists": {{"aws:PrincipalIsAWSService": "false"}}}}"#
        ),
    ] {
        assert_eq!(left(reading, &deny), Some(vec!["s3:ListBucket".to_owned()]), "{deny}");
    }
    assert_eq!(left(reading, r#""Principal": "*", "Action": "*", "Resource": "*""#), None);
    assert_eq!(left(r#""NotAction": "s3:Put*", "Resource": "*""#, r#""Principal": "*", "Action": "*""#), None);
}

#[test]
fn denials_that_a_stranger_can_avoid_do_not_count() {
    let reading = r#""Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*""#;
    for deny in [
        r#""Principal": "*", "Action": "s3:GetObject", "Resource": "*""#,
        r#""Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/private/*""#,
        r#""Principal": {"AWS": "111111111111"}, "Action": "s3:*", "Resource": "*""#,
        r#""Principal": "*", "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}"#,
        r#""Principal": "*", "Action": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}"#,
        r#""Principal": "*", "Action": "*", "Condition": {"Null": {"aws:SourceVpce": "true"}}"#,
        r#""Principal": "*", "NotAction": "s3:*""#,
        r#""NotPrincipal": {"AWS": "*"}, "Action": "*", "Resource": "*""#,
        // An anonymous request lacks the key.
        r#""Principal": "*", "Action": "*", "Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}"#,
        r#""Principal": "*", "Action": "*", "Condition": {"StringNotEquals": {"aws:username": "admin"}}"#,
        r#""Principal": "*", "Action": "*", "Condition": {"NotIpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}"#,
    ] {
        assert_eq!(left(reading, deny), Some(vec!["s3:Get*".to_owned()]), "{deny}");
    }
    let all_but = r#""NotAction": "s3:Put*", "Resource": "*""#;
    assert_eq!(left(all_but, r#""Principal": "*", "Action": "s3:*""#), Some(Vec::new()));
}

#[test]
fn a_text_that_is_no_policy_is_an_error() {
    for text in ["", "[]", "{}", r#"{"Statement": [1]}"#] {
        assert!(anonymous(text).is_err(), "{text}");
    }
    let fields = [
        r#""Principal": 1"#,
        r#""Principal": {"AWS": [{}]}"#,
        r#""Principal": "*", "Condition": 1"#,
        r#""Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpc": {}}}"#,
    ];
    for fields in fields {
        let document = format!(r#"{{"Statement": {{"Effect": "Allow", {fields}}}}}"#);
        assert!(anonymous(&document).is_err(), "{document}");
    }
    let long = format!(r#"{{"Statement": [], "Id": "{}"}}"#, "x".repeat(MOST_BYTES));
    assert!(matches!(anonymous(&long), Err(PolicyError::TooLong(_))));
}

proptest! {
    #[test]
    fn any_text_is_a_policy_or_an_error(text in any::<String>()) {
        let _ = anonymous(&text);
    }
}
