//! Functions as `ListFunctions` knows them -> `(:AWSLambda)`.

use aws_sdk_lambda::{
    Client,
    operation::list_functions::{ListFunctionsError, ListFunctionsOutput},
    types::{Architecture, FunctionConfiguration},
};
use collector::{Edge, Node, Pages, Prop, Value, copied, indexed, mapped, one, paged, prop};

pub(crate) const LABEL: &str = "AWSLambda";
pub(crate) const EXTRA_LABELS: &[&str] = &["Function"];

/// Functions. AWS returns their environment variables too, which often are secrets: no property is read from them.
pub(crate) static FUNCTION: Node<FunctionConfiguration> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.function_arn().unwrap_or_default().to_owned(),
    props: PROPS,
    ontology: &[
        copied("_ont_name", "name"),
        copied("_ont_runtime", "runtime"),
        copied("_ont_memory", "memory"),
        copied("_ont_timeout", "timeout"),
        mapped("_ont_deployment_type", "packagetype", &[("Zip", "code"), ("Image", "container")]),
    ],
    edges: &[
        Edge::account(),
        Edge::out("STS_ASSUMEROLE_ALLOW", "AWSPrincipal", "arn", |it, _| one(it.role())),
        Edge::out("ASSUMES", "AWSRole", "arn", |it, _| one(it.role())),
    ],
    ..Node::of(LABEL)
};

const PROPS: &[Prop<FunctionConfiguration>] = &[
    indexed("arn", |it, _| it.function_arn().into()),
    prop("name", |it, _| it.function_name().into()),
    prop("modifieddate", |it, _| it.last_modified().into()),
    prop("runtime", |it, _| Value::text(it.runtime())),
    prop("description", |it, _| it.description().into()),
    prop("timeout", |it, _| it.timeout().into()),
    prop("memory", |it, _| it.memory_size().into()),
    prop("codesize", |it, _| it.code_size().into()),
    prop("handler", |it, _| it.handler().into()),
    prop("version", |it, _| it.version().into()),
    prop("tracingconfigmode", |it, _| Value::text(it.tracing_config().and_then(|tracing| tracing.mode()))),
    prop("revisionid", |it, _| it.revision_id().into()),
    prop("packagetype", |it, _| Value::text(it.package_type())),
    prop("signingprofileversionarn", |it, _| it.signing_profile_version_arn().into()),
    prop("signingjobarn", |it, _| it.signing_job_arn().into()),
    prop("codesha256", |it, _| it.code_sha256().into()),
    prop("architectures", |it, _| it.architectures.as_deref().map(Value::texts).into()),
    prop("architecture_normalized", |it, _| it.architectures().first().map(normalized).into()),
    prop("masterarn", |it, _| it.master_arn().into()),
    prop("kmskeyarn", |it, _| it.kms_key_arn().into()),
    prop("region", |_, place| (&place.region).into()),
];

/// Pages of functions. AWS answers with at most 50 (AWS Lambda API Reference, `ListFunctions`).
pub(crate) fn pages(client: &Client) -> Pages<ListFunctionsOutput, ListFunctionsError> {
    paged!(client.list_functions().max_items(50), next_marker)
}

/// Architecture under the name that images of containers have.
fn normalized(architecture: &Architecture) -> &'static str {
    match architecture {
        Architecture::X8664 => "amd64",
        Architecture::Arm64 => "arm64",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTION, FunctionConfiguration};
    use aws_sdk_lambda::types::{EnvironmentResponse, TracingConfigResponse};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_function_leaves_nothing_null() {
        let function = FunctionConfiguration::builder()
            .function_arn("arn:aws:lambda:us-east-1:111111111111:function:orders")
            .function_name("orders")
            .last_modified("2024-05-01T01:02:03.000+0000")
            .runtime("python3.12".into())
            .role("arn:aws:iam::111111111111:role/app")
            .description("Takes orders")
            .timeout(30)
            .memory_size(512)
            .code_size(1234)
            .handler("orders.take")
            .version("$LATEST")
            .tracing_config(TracingConfigResponse::builder().mode("Active".into()).build())
            .revision_id("1234abcd")
            .package_type("Zip".into())
            .signing_profile_version_arn("arn:aws:signer:us-east-1:111111111111:/signing-profiles/p/1")
            .signing_job_arn("arn:aws:signer:us-east-1:111111111111:/signing-jobs/1")
            .code_sha256("5tTgQ9H6Wd0=")
            .architectures("x86_64".into())
            .master_arn("arn:aws:lambda:us-east-1:111111111111:function:orders:1")
            .kms_key_arn("arn:aws:kms:us-east-1:111111111111:key/1234abcd")
            .environment(EnvironmentResponse::builder().variables("PASSWORD", "planted").build())
            .build();
        let rendered = render(&FUNCTION, &function, &[]);
        expect![[r#"
            (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
              arn (indexed) = "arn:aws:lambda:us-east-1:111111111111:function:orders"
              name = "orders"
              modifieddate = "2024-05-01T01:02:03.000+0000"
              runtime = "python3.12"
              description = "Takes orders"
              timeout = 30
              memory = 512
              codesize = 1234
              handler = "orders.take"
              version = "$LATEST"
              tracingconfigmode = "Active"
              revisionid = "1234abcd"
              packagetype = "Zip"
              signingprofileversionarn = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/p/1"
              signingjobarn = "arn:aws:signer:us-east-1:111111111111:/signing-jobs/1"
              codesha256 = "5tTgQ9H6Wd0="
              architectures = ["x86_64"]
              architecture_normalized = "amd64"
              masterarn = "arn:aws:lambda:us-east-1:111111111111:function:orders:1"
              kmskeyarn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              region = "us-east-1"
              _ont_name (indexed) = "orders"
              _ont_runtime (indexed) = "python3.12"
              _ont_memory (indexed) = 512
              _ont_timeout (indexed) = 30
              _ont_deployment_type (indexed) = "code"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:STS_ASSUMEROLE_ALLOW]->(:AWSPrincipal {arn: "arn:aws:iam::111111111111:role/app"})
              -[:ASSUMES]->(:AWSRole {arn: "arn:aws:iam::111111111111:role/app"})
        "#]]
        .assert_eq(&rendered);
        assert!(!rendered.contains("PASSWORD") && !rendered.contains("planted"));
        assert!(!format!("{function:?}").contains("planted"), "the SDK does not print it either");
    }
}
