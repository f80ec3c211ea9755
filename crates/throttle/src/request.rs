//! Reads the called API from a request, as AWS counts APIs.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// Properties of a call that determine its bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Api {
    /// The service that the request is signed for, e.g. `elasticloadbalancing`.
    pub service: String,
    /// The API version that a query names; empty for other protocols. Both load-balancer APIs sign for one service and
    /// share names of operations.
    pub version: String,
    /// The operation, e.g. `DescribeSubnets`; for REST services method and path, e.g. `POST /findings/list`.
    pub name: String,
    /// Whether a query requests everything in one answer: no page size, no filter. EC2 grants fewer such calls.
    pub unpaged: bool,
}

/// Reads the API from a request: the service from its signature (`unsigned` if it has none), the operation from the form
/// field `Action` of the query protocols, the header `X-Amz-Target` of the JSON protocols, method and path of the others.
pub fn api(request: &HttpRequest, unsigned: &str) -> Api {
    let signed = request.headers().get("authorization").and_then(signing_service);
    let api = Api { service: signed.unwrap_or(unsigned).to_owned(), ..Api::default() };
    if let Some(target) = request.headers().get("x-amz-target") {
        return Api { name: target.rsplit('.').next().unwrap_or(target).to_owned(), ..api };
    }
    let form = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let field = |name: &str| form.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    match field("Action") {
        Some(action) => Api {
            version: field("Version").unwrap_or_default().to_owned(),
            name: action.to_owned(),
            unpaged: !form.split('&').any(is_page_or_filter),
            ..api
        },
        None => Api { name: format!("{} {}", request.method(), shape(path(request.uri()))), ..api },
    }
}

/// `ec2` of `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/ec2/aws4_request, …`. SigV4a contains no region.
fn signing_service(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    let scope = credential.split(',').next()?.trim_end().strip_suffix("/aws4_request")?;
    scope.rsplit('/').next().filter(|service| !service.is_empty())
}

fn is_page_or_filter(field: &str) -> bool {
    ["MaxResults=", "NextToken=", "Filter."].iter().any(|start| field.starts_with(start))
}

fn path(uri: &str) -> &str {
    let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("/", |slash| &after_scheme[slash..]);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The path with `*` for every segment that is not plain words, such as an id or an ARN: all its values share a bucket.
fn shape(path: &str) -> String {
    let plain = |segment: &str| segment.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    path.split('/').map(|segment| if plain(segment) { segment } else { "*" }).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn form(body: &str) -> Api {
        api(&HttpRequest::new(SdkBody::from(body)), "ec2")
    }

    fn rest(method: &str, uri: &str) -> String {
        let mut request = HttpRequest::new(SdkBody::from("{\"maxResults\":100}"));
        request.set_method(method).expect("a method");
        request.set_uri(uri).expect("a URI");
        api(&request, "inspector2").name
    }

    #[test]
    fn a_query_names_its_action_and_version() {
        let (service, version) = ("ec2".to_owned(), "2016-11-15".to_owned());
        let all = Api { service, version, name: "DescribeInstances".into(), unpaged: true };
        assert_eq!(form("Action=DescribeInstances&Version=2016-11-15"), all);
        for paged in ["MaxResults=100", "NextToken=abc", "Filter.1.Name=owner-id"] {
            let paged = form(&format!("Action=DescribeInstances&Version=2016-11-15&{paged}"));
            assert_eq!(paged, Api { unpaged: false, ..all.clone() });
        }
    }

    #[test]
    fn a_json_request_names_its_target() {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        request.headers_mut().insert("x-amz-target", "AWSOrganizationsV20161128.ListAccounts");
        assert_eq!(api(&request, "organizations").name, "ListAccounts");
    }

    #[test]
    fn a_rest_request_is_its_method_and_path() {
        assert_eq!(rest("POST", "https://inspector2.eu-west-1.amazonaws.com/findings/list"), "POST /findings/list");
        assert_eq!(rest("GET", "http://127.0.0.1:5000/tags/arn:aws:x?a=b"), "GET /tags/*");
        assert_eq!(rest("GET", "http://127.0.0.1:5000"), "GET /");
    }

    #[test]
    fn the_service_is_the_one_that_is_signed_for() {
        let signed = |authorization: &'static str| {
            let mut request = HttpRequest::new(SdkBody::from("Action=DescribeLoadBalancers"));
            request.headers_mut().insert("authorization", authorization);
            api(&request, "ec2").service
        };
        for (authorization, service) in [
            (
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/eu-west-1/elasticloadbalancing/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0a",
                "elasticloadbalancing",
            ),
            (
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/autoscaling/aws4_request,SignedHeaders=host",
                "autoscaling",
            ),
            ("AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20240501/iam/aws4_request, Signature=0a", "iam"),
            ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE", "ec2"),
            ("Bearer abc", "ec2"),
        ] {
            assert_eq!(signed(authorization), service, "{authorization}");
        }
        assert_eq!(form("Action=A").service, "ec2", "a request without a signature");
    }
}
