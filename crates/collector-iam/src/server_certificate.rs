//! Server certificates: `ListServerCertificates` -> `(:AWSServerCertificate)`.

use crate::Iam;
use aws_sdk_iam::types::ServerCertificateMetadata;
use collector::{Collecting, Edge, Listing, Node, Sink, copied, indexed, paged, prop};

/// Certificates stored in IAM for load balancers and CloudFront.
pub(crate) static SERVER_CERTIFICATE: Node<ServerCertificateMetadata> = Node {
    extra_labels: &["Certificate"],
    id: |it, _| it.server_certificate_id().to_owned(),
    props: &[
        indexed("arn", |it, _| it.arn().into()),
        indexed("server_certificate_id", |it, _| it.server_certificate_id().into()),
        indexed("server_certificate_name", |it, _| it.server_certificate_name().into()),
        prop("path", |it, _| it.path().into()),
        prop("expiration", |it, _| it.expiration().into()),
        prop("upload_date", |it, _| it.upload_date().into()),
    ],
    ontology: &[copied("_ont_domain", "server_certificate_name"), copied("_ont_expiry", "expiration")],
    edges: &[Edge::account()],
    ..Node::of("AWSServerCertificate")
};

/// Listing of server certificates.
pub(crate) const LISTING: Listing<Iam> = Listing {
    name: "ListServerCertificates",
    actions: &["iam:ListServerCertificates"],
    feeds: &[&SERVER_CERTIFICATE],
    collect,
};

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(iam.sdk.list_server_certificates().max_items(1000), marker);
        while let Some(page) = pages.next().await {
            sink.emit_all(&SERVER_CERTIFICATE, page?.server_certificate_metadata_list()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{SERVER_CERTIFICATE, ServerCertificateMetadata};
    use crate::testing::time;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_certificate_leaves_nothing_null() {
        let certificate = ServerCertificateMetadata::builder()
            .arn("arn:aws:iam::111111111111:server-certificate/cloudfront/legacy")
            .server_certificate_id("ASCA1")
            .server_certificate_name("legacy")
            .path("/cloudfront/")
            .expiration(time())
            .upload_date(time())
            .build()
            .expect("full");
        expect![[r#"
            (:AWSServerCertificate:Certificate {id: "ASCA1"})
              arn (indexed) = "arn:aws:iam::111111111111:server-certificate/cloudfront/legacy"
              server_certificate_id (indexed) = "ASCA1"
              server_certificate_name (indexed) = "legacy"
              path = "/cloudfront/"
              expiration = time(1714525323000000)
              upload_date = time(1714525323000000)
              _ont_domain (indexed) = "legacy"
              _ont_expiry (indexed) = time(1714525323000000)
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&SERVER_CERTIFICATE, &certificate, &[]));
    }
}
