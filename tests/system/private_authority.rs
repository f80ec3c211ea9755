//! AWS behind TLS whose certificate a private authority signed: `AWS_CA_BUNDLE` and `ca_bundle`.

use crate::world::{Run, World, run};
use groma::nats::certificates::{self, Tls};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{fs, path::Path, sync::Arc};
use testkit::Size;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Starts a proxy that speaks TLS to clients and plain HTTP to the simulated AWS. Returns its URL.
async fn tls_before(url: &str, tls: &Tls) -> String {
    let certificates = CertificateDer::pem_file_iter(&tls.certificate).expect("it is there").collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_file(&tls.key).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(certificates.expect("certificates"), key).expect("they fit");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let to = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    format!("https://localhost:{port}")
}

/// Surveys one listing through the proxy.
async fn sync(world: &World, proxy: &str, more: &[(&str, &Path)]) -> Run {
    let account = world.account("alpha");
    let mut command = world.groma(&["sync", "--accounts", "profiles", "--account", account, "--types", "DescribeVpcs"]);
    command.env("AWS_ENDPOINT_URL", proxy).envs(more.iter().copied());
    run(command).await
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named_and_only_there() {
    process::init(&process::LogArgs::default());
    let directory = tempfile::tempdir().expect("a directory");
    let tls = certificates::ensure(directory.path(), &[]).expect("certificates");
    let bundle = tls.authority.clone().expect("it was made with one");
    let world = World::of(Size::Small).await;
    let proxy = tls_before(&world.organization.env["AWS_ENDPOINT_URL"], &tls).await;
    let vpcs = "MATCH (v:AWSVpc) RETURN count(v) AS n";

    let stranger = sync(&world, &proxy, &[]).await;
    assert_eq!(stranger.status, 1, "{}", stranger.stderr);
    assert_eq!(world.count(vpcs).await, 0);

    for (file, says) in [(Path::new("/nowhere/ca.pem"), "cannot read it"), (&tls.key, "holds no certificate")] {
        let unusable = sync(&world, &proxy, &[("AWS_CA_BUNDLE", file)]).await;
        assert_eq!(unusable.status, 1, "{}", unusable.stderr);
        let errors: Vec<_> = unusable.stderr.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!(errors.len(), 1, "{}", unusable.stderr);
        assert!(errors[0].contains("AWS_CA_BUNDLE") && errors[0].contains(says), "{}", unusable.stderr);
    }

    let told = sync(&world, &proxy, &[("AWS_CA_BUNDLE", &bundle)]).await;
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(world.count(vpcs).await > 0);

    let config = world.organization.dir.join("config");
    let text = fs::read_to_string(&config).expect("the profiles");
    let line = format!("ca_bundle = {}", bundle.display());
    let with_bundle =
        |heading: &str| if heading.starts_with('[') { format!("{heading}\n{line}\n") } else { format!("{heading}\n") };
    fs::write(&config, text.lines().map(with_bundle).collect::<String>()).expect("it can be written");
    let by_profile = sync(&world, &proxy, &[]).await;
    assert_eq!(by_profile.status, 0, "{}", by_profile.stderr);
}
