//! Packages of findings -> `(:AWSInspectorPackage)`.

use aws_sdk_inspector2::types::VulnerablePackage;
use collector::{Edge, Node, Target, Value, indexed, prop};

/// Label of packages.
pub(crate) const LABEL: &str = "AWSInspectorPackage";

/// Packages. Many regions and accounts can share a package. It stays while any of them has it.
pub(crate) static PACKAGE: Node<VulnerablePackage> = Node {
    id: |it, _| id(it),
    props: &[
        indexed("name", |it, _| it.name().into()),
        indexed("version", |it, _| it.version().into()),
        indexed("release", |it, _| it.release().into()),
        prop("arch", |it, _| it.arch().into()),
        prop("epoch", |it, _| it.epoch().into()),
        prop("manager", |it, _| Value::text(it.package_manager())),
    ],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

/// Properties of the edge from a finding to a package: location of the package, and its fix.
pub(crate) const EDGE_PROPS: &[&str] =
    &["filepath", "fixedinversion", "remediation", "sourcelayerhash", "sourcelambdalayerarn"];

/// Node id: `name|epoch:version-release.arch`, as in RPM. The SDK cannot tell a missing epoch from 0, which Inspector
/// sends with every package.
pub(crate) fn id(package: &VulnerablePackage) -> String {
    let part = |mark: &str, text: Option<&str>| match text {
        Some(text) if !text.is_empty() => format!("{mark}{text}"),
        _ => String::new(),
    };
    let (release, arch) = (part("-", package.release()), part(".", package.arch()));
    format!("{}|{}:{}{release}{arch}", package.name(), package.epoch(), package.version())
}

/// Packages of a finding without duplicates. The last entry of a package counts.
pub(crate) fn unique(packages: &[VulnerablePackage]) -> Vec<(String, &VulnerablePackage)> {
    let mut all: Vec<(String, &VulnerablePackage)> = Vec::with_capacity(packages.len());
    for package in packages {
        let id = id(package);
        match all.iter_mut().find(|(known, _)| *known == id) {
            Some((_, earlier)) => *earlier = package,
            None => all.push((id, package)),
        }
    }
    all
}

/// Targets of a finding's HAS edges.
pub(crate) fn targets(packages: &[VulnerablePackage]) -> Vec<Target> {
    let target = |(value, package): (String, &VulnerablePackage)| Target {
        value,
        props: vec![
            package.file_path().into(),
            package.fixed_in_version().into(),
            package.remediation().into(),
            package.source_layer_hash().into(),
            package.source_lambda_layer_arn().into(),
        ],
    };
    unique(packages).into_iter().map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::{PACKAGE, VulnerablePackage, id, targets, unique};
    use collector::testing::render;
    use expect_test::expect;

    fn package() -> aws_sdk_inspector2::types::builders::VulnerablePackageBuilder {
        VulnerablePackage::builder().name("openssl").version("1.0.2k")
    }

    #[test]
    fn a_full_package_leaves_nothing_null() {
        let package = package().epoch(1).release("24.amzn2").arch("X86_64").package_manager("OS".into());
        expect![[r#"
            (:AWSInspectorPackage {id: "openssl|1:1.0.2k-24.amzn2.X86_64"})
              name (indexed) = "openssl"
              version (indexed) = "1.0.2k"
              release (indexed) = "24.amzn2"
              arch = "X86_64"
              epoch = 1
              manager = "OS"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&PACKAGE, &package.build().expect("full"), &[]));
    }

    #[test]
    fn ids_leave_out_what_is_unknown() {
        assert_eq!(id(&package().build().expect("full")), "openssl|0:1.0.2k");
        assert_eq!(id(&package().release("").arch("NOARCH").build().expect("full")), "openssl|0:1.0.2k.NOARCH");
    }

    #[test]
    fn the_last_entry_for_a_package_counts() {
        let at = |path: &str| package().file_path(path).build().expect("full");
        let packages = [at("a"), package().epoch(2).build().expect("full"), at("b")];
        assert_eq!(unique(&packages).len(), 2);
        assert_eq!(targets(&packages)[0].props[0], "b".into());
    }
}
