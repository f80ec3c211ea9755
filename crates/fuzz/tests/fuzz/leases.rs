//! Lease requests: the session policy allows only the requested actions.

use broker::{leases, policy};
use events::{LeaseRequest, Message};

#[test]
fn lease_request() {
    fuzz::Target::new("lease_request").well_formed(fuzz::messages::lease_request).check(|bytes| {
        let Ok(request) = LeaseRequest::decode(bytes) else { return };
        if let Err(refusal) = leases::check(&request) {
            assert!(refusal.failure().error.len() <= 2_000);
            return;
        }
        match policy::document(&request.service, &request.actions) {
            Err(error) => assert!(error.to_string().len() <= 4_096, "{error}"),
            Ok(text) => only_asked(&text, &request),
        }
    });
}

fn only_asked(text: &str, request: &LeaseRequest) {
    assert!(text.len() <= 2_048);
    let policy: serde_json::Value = serde_json::from_str(text).expect("a policy is JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    assert_eq!((statements.len(), &statements[0]["Effect"]), (1, &"Allow".into()));
    for action in statements[0]["Action"].as_array().expect("actions") {
        let action = action.as_str().expect("a text");
        assert!(request.actions.iter().any(|asked| asked == action), "{action}");
        assert!(!action.contains('*'), "{action}");
    }
}

#[test]
fn a_refusal_does_not_repeat_a_megabyte() {
    let error = policy::document("ec2", &["\u{1b}".repeat(1 << 20)]).expect_err("not an action");
    assert!(error.to_string().len() < 4_096);
}
