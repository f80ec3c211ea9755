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
    assert!(!open(r#""Resource": "*""#), "nobody is named");
}

#[test]
fn conditions() {
    for json in [
        "{}",
        r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
        r#"{"StringNotEquals": {"aws:SourceAccount": "111111111111"}}"#,
        r#"{"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}"#,
        r#"{"StringEquals": {"aws:SourceAccount": "1*"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}"#,
        r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}, "ArnLike": {"aws:SourceArn": "arn:aws:iam::111111111111:role/a"}}"#,
        r#"{"StringLike": {"aws:userid": "AROAEXAMPLE"}}"#,
        r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-a/ou-b/"}}"#,
    ] {
        assert!(condition(json), "{json}");
    }
    for json in [
        r#"{"StringEquals": {"KMS:CallerAccount": "111111111111", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}}"#,
        r#"{"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}"#,
        r#"{"stringlike": {"aws:PrincipalOrgID": "*"}}"#,
        r#"{"StringLike": {"aws:userid": ["AROAEXAMPLE:*", ""]}}"#,
        r#"{"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/*"}}"#,
        r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/a"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
    ] {
        assert!(!condition(json), "{json}");
    }
}

#[test]
fn a_text_that_is_no_policy_is_an_error() {
    for text in ["", "[]", "{}", r#"{"Statement": [1]}"#] {
        assert!(anonymous(text).is_err(), "{text}");
    }
    let fields = [
        r#""Principal": 1"#,
        r#""Principal": {"AWS": [1]}"#,
        r#""Principal": "*", "Condition": 1"#,
        r#""Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpc": 1}}"#,
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
