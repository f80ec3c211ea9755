//! Registry of all listings of this collector.

use crate::{event_source_mapping, functions, image, lambda::Lambda};
use collector::{Bucket, Quota, Service, Sharing};

/// Lambda with its listings. A survey makes one call for each 50 functions, three for each function, one more if it is from
/// an image, and one for each 100 event source mappings.
pub static SERVICE: Service<Lambda> = Service {
    title: "Lambda",
    assets: "functions with the reach of their policies, aliases, layers and event source mappings, never environment variables",
    listings: &[functions::LISTING, image::LISTING, event_source_mapping::LISTING],
    quotas: QUOTAS,
    cartography: &["lambda_function"],
    ..Service::regional("lambda", Lambda::connect)
};

const LAMBDA: &str = "AWS, \"Lambda quotas\", docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";

/// "GetFunction API requests", "GetPolicy API requests" and "Remainder of the control plane API requests", the last "across
/// all APIs" ([`LAMBDA`]): 100, 15 and 15 in a second. A bucket holds 16, the least that the limiter can slow down. The
/// calls name a function by its ARN, which is `*` in the path.
static QUOTAS: &[Quota] = &[
    Quota { apis: &["GET /*/functions/*"], ..Quota::of("lambda", Bucket::published(100, 100, LAMBDA)) },
    Quota { apis: &["GET /*/functions/*/policy"], ..Quota::of("lambda", Bucket::published(16, 15, LAMBDA)) },
    Quota { sharing: Sharing::Version, ..Quota::of("lambda", Bucket::published(16, 15, LAMBDA)) },
];

#[cfg(test)]
mod tests {
    use super::{QUOTAS, SERVICE};
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use collector::{
        Sink,
        testing::{Api, Canned, TwoPages, check_service, place},
    };
    use std::collections::BTreeMap;
    use throttle::{Limiter, request};

    const STATE: &str = r#"{"State": "Active"}"#;
    const POLICY: &str = r#"{"Policy": "{\"Statement\": []}"}"#;
    const ALIASES: &str = r#"{"Aliases": []}"#;
    const IMAGE: &str = r#"{"Functions": [{"FunctionArn": "a", "PackageType": "Image"}]}"#;
    const OF_IMAGE: &str = r#"{"Code": {}}"#;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("ListFunctions", &[IMAGE, STATE, POLICY, ALIASES]), ("GetFunction", &[IMAGE, OF_IMAGE])],
            page_sizes: &[
                ("ListFunctions", Some(("MaxItems", "50"))),
                ("ListAliases", Some(("MaxItems", "10000"))),
                ("ListEventSourceMappings", Some(("MaxItems", "100"))),
            ],
            two_pages: &[
                TwoPages {
                    listing: "ListFunctions",
                    answers: &[
                        r#"{"Functions": [{"FunctionArn": "a"}], "NextMarker": "more"}"#,
                        STATE,
                        POLICY,
                        ALIASES,
                        r#"{"Functions": [{"FunctionArn": "b"}]}"#,
                        STATE,
                        POLICY,
                        ALIASES,
                    ],
                    ids: &["a", "b"],
                },
                TwoPages {
                    listing: "ListEventSourceMappings",
                    answers: &[
                        r#"{"EventSourceMappings": [{"UUID": "a"}], "NextMarker": "more"}"#,
                        r#"{"EventSourceMappings": [{"UUID": "b"}]}"#,
                    ],
                    ids: &["a", "b"],
                },
            ],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(
            SERVICE.actions(),
            [
                "lambda:GetFunction",
                "lambda:GetFunctionConfiguration",
                "lambda:GetPolicy",
                "lambda:ListAliases",
                "lambda:ListEventSourceMappings",
                "lambda:ListFunctions"
            ]
        );
    }

    /// Calls in a second by operation, where the functions have names that could be parts of a path.
    #[tokio::test]
    async fn each_call_takes_from_its_quota() {
        let functions = r#"{"Functions": [{"FunctionArn": "arn:aws:lambda:us-east-1:1:function:policy"},
            {"FunctionArn": "arn:aws:lambda:us-east-1:1:function:configuration", "PackageType": "Image"}]}"#;
        let each = [STATE, POLICY, ALIASES];
        let server = Canned::answering(&[&[functions][..], &each, &each, &[OF_IMAGE]].concat());
        let client = (SERVICE.connect)(&server.connection());
        for listing in SERVICE.listings {
            (listing.collect)(&client, &mut Sink::to_memory(place())).await.expect("answered");
        }
        let limiter = Limiter::new("lambda", QUOTAS);
        let call = |uri: &str| request::api(&HttpRequest::get(uri).expect("a URI"), "lambda");
        let rates = || -> BTreeMap<String, f64> {
            let requests = server.requests().into_iter();
            requests.map(|request| (request.operation, limiter.rate(&call(&request.uri)).round())).collect()
        };
        let of = |rest: f64| {
            let rest = ["GetFunctionConfiguration", "ListAliases", "ListEventSourceMappings", "ListFunctions"]
                .map(|operation| (operation.to_owned(), rest));
            rest.into_iter().chain([("GetFunction".to_owned(), 100.0), ("GetPolicy".to_owned(), 15.0)]).collect()
        };
        assert_eq!(rates(), of(15.0));
        limiter.slow_down(&call("https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/"));
        let slower = rates()["ListAliases"];
        assert!(slower < 15.0, "the rest shares one bucket");
        assert_eq!(rates(), of(slower));
    }
}
