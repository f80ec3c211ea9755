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
    /// The region that a request is signed for; empty without one. Clients of a service's other regions share a limiter.
    pub region: String,
    /// The operation, e.g. `DescribeSubnets`; for REST services method and path, e.g. `POST /findings/list`; for S3 method
    /// and subresource, e.g. `GET ?acl`.
    pub name: String,
    /// Whether a query requests everything in one answer: no page size, no filter. EC2 grants fewer such calls.
    pub unpaged: bool,
}

/// Reads the API from a request: service and region from its signature (the service is `unsigned` if it has none), the
/// operation from the form field `Action` of the query protocols, the header `X-Amz-Target` of the JSON protocols, method
/// and path of the others.
pub fn api(request: &HttpRequest, unsigned: &str) -> Api {
    let scope = Scope::of(request);
    let service = scope.map_or(unsigned, |scope| scope.service).to_owned();
    let region = scope.and_then(|scope| scope.region).unwrap_or_default().to_owned();
    let api = Api { service, region, ..Api::default() };
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
        None => Api { name: format!("{} {}", request.method(), resource(&api.service, request.uri())), ..api },
    }
}

/// Service and region that a request is signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Signing name of the service, e.g. `elasticloadbalancing`.
    pub service: &'a str,
    /// Region; `None` for SigV4a, whose signatures contain no region.
    pub region: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// Reads the signature of a request; `None` if it has none.
    pub fn of(request: &'a HttpRequest) -> Option<Self> {
        request.headers().get("authorization").and_then(Self::parse)
    }

    /// `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`.
    fn parse(authorization: &'a str) -> Option<Self> {
        let (_, credential) = authorization.split_once("Credential=")?;
        let mut parts = credential.split(',').next()?.trim_end().strip_suffix("/aws4_request")?.rsplit('/');
        let service = parts.next().filter(|service| !service.is_empty())?;
        let (before, _date) = (parts.next(), parts.next());
        // Of SigV4a, the part before the service is the date, and the key is before it.
        let region = before.filter(|_| parts.next().is_some());
        Some(Self { service, region })
    }
}

/// Path of a REST request. S3's path is the bucket, and its operations are subresources in the query, without a value.
fn resource(service: &str, uri: &str) -> String {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    match query.split('&').find(|part| !part.is_empty() && !part.contains('=')) {
        Some(subresource) if service == "s3" => format!("?{subresource}"),
        _ => shape(path(uri)),
    }
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
        let all = Api { service, version, name: "DescribeInstances".into(), unpaged: true, ..Api::default() };
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
    fn an_operation_of_s3_is_a_subresource_of_any_bucket() {
        let name = |uri: &str| {
            let mut request = HttpRequest::new(SdkBody::empty());
            request.set_uri(uri).expect("a URI");
            api(&request, "s3").name
        };
        assert_eq!(name("https://s3.eu-west-1.amazonaws.com/logs?acl"), "GET ?acl");
        assert_eq!(name("https://logs.s3.eu-west-1.amazonaws.com/?publicAccessBlock"), "GET ?publicAccessBlock");
        assert_eq!(name("https://s3.eu-west-1.amazonaws.com/?x-id=ListBuckets&max-buckets=10000"), "GET /");
        assert_eq!(name("https://s3-control.eu-west-1.amazonaws.com/v20180820/configuration"), "GET /*/configuration");
        assert_eq!(rest("GET", "http://127.0.0.1:5000/tags?acl"), "GET /tags", "another service");
    }

    #[test]
    fn service_and_region_are_those_that_are_signed_for() {
        let signed = |authorization: &'static str| {
            let mut request = HttpRequest::new(SdkBody::from("Action=DescribeLoadBalancers"));
            request.headers_mut().insert("authorization", authorization);
            let Api { service, region, .. } = api(&request, "ec2");
            (service, region)
        };
        for (authorization, service, region) in [
            (
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/eu-west-1/elasticloadbalancing/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0a",
                "elasticloadbalancing",
                "eu-west-1",
            ),
            (
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/autoscaling/aws4_request,SignedHeaders=host",
                "autoscaling",
                "us-east-1",
            ),
            ("AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20240501/iam/aws4_request, Signature=0a", "iam", ""),
            ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE", "ec2", ""),
            ("Bearer abc", "ec2", ""),
        ] {
            assert_eq!(signed(authorization), (service.to_owned(), region.to_owned()), "{authorization}");
        }
        assert_eq!(form("Action=A").service, "ec2", "a request without a signature");
    }
}
