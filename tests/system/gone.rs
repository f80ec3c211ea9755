//! Resources that are deleted between the listing that names them and the call about them.

use crate::world::World;
use serde_json::{Value, json};
use testkit::Size;

#[tokio::test]
async fn a_resource_that_is_deleted_between_two_calls_is_no_failure() {
    let world = World::of(Size::Small).await;
    let gone = [
        ("elasticloadbalancing", "DescribeListeners", "LoadBalancerNotFound", 400),
        ("elasticloadbalancing", "DescribeTargetHealth", "TargetGroupNotFound", 400),
        ("iam", "GetAccessKeyLastUsed", "NoSuchEntity", 404),
        ("iam", "GenerateServiceLastAccessedDetails", "NoSuchEntity", 404),
        ("iam", "GetServiceLastAccessedDetails", "NoSuchEntity", 404),
        ("iam", "ListMFADevices", "NoSuchEntity", 404),
        ("lambda", "GetFunctionConfiguration", "ResourceNotFoundException", 404),
        ("lambda", "ListAliases", "ResourceNotFoundException", 404),
    ];
    let rules: Vec<Value> = gone
        .iter()
        .map(|(service, action, code, status)| {
            json!({"service": service, "action": action, "code": code, "status": status, "message": "it is gone", "times": 1})
        })
        .collect();
    world.aws.fault(Value::from(rules)).await.expect("moto takes the rules");
    world.aws.clear_calls().await.expect("moto forgets calls");
    world.sync_completely().await;
    let calls = world.aws.calls().await.expect("moto knows the calls");
    for (_, action, ..) in gone {
        assert!(calls.iter().any(|call| call.action == action), "{action} was not called");
    }
}

#[tokio::test]
async fn an_item_whose_call_fails_is_named_and_the_others_are_read() {
    let world = World::of(Size::Small).await;
    let rule = json!([{"service": "elasticloadbalancing", "action": "DescribeTargetHealth", "code": "AccessDenied",
                       "status": 403, "message": "no", "times": 1}]);
    world.aws.fault(rule).await.expect("moto takes the rule");
    let ran = world.sync(&[]).await;
    assert_eq!(ran.status, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("targetgroup/"), "the group is not named in {}", ran.stderr);
    assert!(world.count("MATCH (g:AWSELBV2TargetGroup) RETURN count(g) AS n").await > 0);
}
