//! Which API a request calls, as AWS counts them.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// What has a bucket of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Api {
    /// The operation, e.g. `DescribeSubnets`; for REST services method and path, e.g. `POST /findings/list`.
    pub name: String,
    /// Whether a query asks for everything at once: no page size, no filter. EC2 grants such calls less.
    pub unpaged: bool,
}

/// Reads the API from a request: the form field `Action` of the query protocols, the header `X-Amz-Target` of the JSON
/// protocols, method and path of the others.
pub fn api(request: &HttpRequest) -> Api {
    if let Some(target) = request.headers().get("x-amz-target") {
        let name = target.rsplit('.').next().unwrap_or(target);
        return Api { name: name.to_owned(), unpaged: false };
    }
    let form = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    match form.split('&').find_map(|field| field.strip_prefix("Action=")) {
        Some(action) => Api { name: action.to_owned(), unpaged: !form.split('&').any(is_page_or_filter) },
        None => Api { name: format!("{} {}", request.method(), shape(path(request.uri()))), unpaged: false },
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

/// The path with `*` for every segment that is not plain words, such as an id or an ARN: those share a bucket.
fn shape(path: &str) -> String {
    let plain = |segment: &str| segment.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    path.split('/').map(|segment| if plain(segment) { segment } else { "*" }).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn form(body: &str) -> Api {
        api(&HttpRequest::new(SdkBody::from(body)))
    }

    fn rest(method: &str, uri: &str) -> String {
        let mut request = HttpRequest::new(SdkBody::from("{\"maxResults\":100}"));
        request.set_method(method).expect("a method");
        request.set_uri(uri).expect("a URI");
        api(&request).name
    }

    #[test]
    fn a_query_names_its_action() {
        let all = form("Action=DescribeInstances&Version=2016-11-15");
        assert_eq!(all, Api { name: "DescribeInstances".into(), unpaged: true });
        for paged in ["MaxResults=100", "NextToken=abc", "Filter.1.Name=owner-id"] {
            let paged = form(&format!("Action=DescribeInstances&Version=2016-11-15&{paged}"));
            assert_eq!(paged, Api { name: "DescribeInstances".into(), unpaged: false });
        }
    }

    #[test]
    fn a_json_request_names_its_target() {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        request.headers_mut().insert("x-amz-target", "AWSOrganizationsV20161128.ListAccounts");
        assert_eq!(api(&request).name, "ListAccounts");
    }

    #[test]
    fn a_rest_request_is_its_method_and_path() {
        assert_eq!(rest("POST", "https://inspector2.eu-west-1.amazonaws.com/findings/list"), "POST /findings/list");
        assert_eq!(rest("GET", "http://127.0.0.1:5000/tags/arn:aws:x?a=b"), "GET /tags/*");
        assert_eq!(rest("GET", "http://127.0.0.1:5000"), "GET /");
    }
}
