//! Client of S3 Control, which has the account in the host name: `111111111111.s3-control.eu-west-1.amazonaws.com`. A
//! custom endpoint gets the account as a prefix too, unless it is an IP address, which cannot have one.

use aws_sdk_s3control::{
    Client,
    config::{
        Builder,
        endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
    },
};
use collector::Connection;
use std::net::IpAddr;

/// Id in AWS's settings, for example in `AWS_ENDPOINT_URL_S3_CONTROL`.
pub(crate) const API: &str = "s3_control";

/// Creates the client of a work item.
pub(crate) fn connect(connection: &Connection) -> Client {
    let sdk = connection.sdk_of(API);
    let config = Builder::from(&sdk).retry_partition(connection.retry_partition.clone());
    match sdk.endpoint_url().filter(|url| is_address(url)) {
        Some(url) => Client::from_conf(config.endpoint_resolver(At(url.to_owned())).build()),
        None => Client::from_conf(config.build()),
    }
}

/// Whether the host of a URL is an IP address.
fn is_address(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority.split(':').next(),
    };
    host.is_some_and(|host| host.parse::<IpAddr>().is_ok())
}

/// An endpoint without a prefix.
#[derive(Debug)]
struct At(String);

impl ResolveEndpoint for At {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

#[cfg(test)]
mod tests {
    use super::{API, connect, is_address};
    use collector::testing::Canned;

    async fn uri(endpoint: Option<&str>) -> String {
        let server = Canned::default();
        let mut connection = server.connection();
        connection.endpoints = endpoint.into_iter().map(|url| (API.to_owned(), url.to_owned())).collect();
        let call = connect(&connection).get_public_access_block().account_id("111111111111");
        call.send().await.expect_err("an answer without blocks");
        server.requests().pop().expect("a request").uri
    }

    #[tokio::test]
    async fn the_account_is_in_the_host_name_unless_the_host_is_an_address() {
        for (endpoint, host) in [
            (None, "https://111111111111.s3-control.us-east-1.amazonaws.com"),
            (Some("https://s3.example.com"), "https://111111111111.s3.example.com"),
            (Some("http://127.0.0.1:5000"), "http://127.0.0.1:5000"),
        ] {
            assert_eq!(uri(endpoint).await, format!("{host}/v20180820/configuration/publicAccessBlock"));
        }
    }

    #[test]
    fn addresses() {
        for url in ["http://127.0.0.1", "http://127.0.0.1:5000/a", "https://[::1]:5000", "https://[2001:db8::1]"] {
            assert!(is_address(url), "{url}");
        }
        for url in ["https://s3.example.com:443", "http://localhost:5000", "https://127.0.0.1.example.com", ""] {
            assert!(!is_address(url), "{url}");
        }
    }
}
