//! Images of functions: `GetFunction` -> `(:AWSLambda)`.
//!
//! `SecurityAudit` does not permit the call, because its answer has a link to the code. So only functions from images need
//! the call, and it has a separate listing: a denial does not keep deleted functions in the graph.

use crate::{
    function::{EXTRA_LABELS, LABEL, pages},
    lambda::{Lambda, Package},
};
use aws_sdk_lambda::{
    Client,
    types::{FunctionCodeLocation, FunctionConfiguration, PackageType},
};
use collector::{CollectError, Collecting, Details, Edge, Listing, Node, Sink, copied, one, prop, unless_gone};
use futures::{StreamExt, stream};

/// Limit of concurrent calls. The limiter enforces AWS's quota.
const AT_ONCE: usize = 16;

/// A function's image; a function from an archive has none, but may have had one.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// ARN of the function.
    function: String,
    /// URI with its digest. If AWS has not resolved the tag, the URI as it was given.
    uri: Option<String>,
}

/// Functions with their images.
pub(crate) static IMAGE: Node<Image> = Node {
    extra_labels: EXTRA_LABELS,
    supplements: true,
    id: |it, _| it.function.clone(),
    props: &[prop("image_uri", |it, _| it.uri.as_ref().into()), prop("image_digest", |it, _| it.digest().into())],
    ontology: &[copied("_ont_image", "image_uri"), copied("_ont_image_digest", "image_digest")],
    edges: &[
        Edge::out("HAS_IMAGE", "AWSECRImage", "digest", |it, _| one(it.digest())),
        Edge::out("HAS_IMAGE", "GitLabContainerImage", "digest", |it, _| one(it.digest())),
        Edge::out("HAS_IMAGE", "GCPArtifactRegistryImage", "digest", |it, _| one(it.digest())),
        Edge::out("HAS_IMAGE", "GitHubContainerImage", "digest", |it, _| one(it.digest())),
    ],
    ..Node::of(LABEL)
};

impl Image {
    /// Digest in the URI. `None`: the URI has only a tag.
    fn digest(&self) -> Option<&str> {
        self.uri.as_deref()?.rsplit_once('@').map(|(_, digest)| digest)
    }
}

/// Listing of images.
pub(crate) const LISTING: Listing<Lambda> = Listing {
    name: "GetFunction",
    actions: &["lambda:ListFunctions", "lambda:GetFunction"],
    feeds: &[&IMAGE],
    collect,
};

fn collect<'a>(lambda: &'a Lambda, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let packages = match lambda.packages.known().await {
            Some(noted) => noted,
            None => list(&lambda.sdk).await?,
        };
        let mut details = Details::default();
        let asked = stream::iter(packages).map(|package| read(&lambda.sdk, package));
        let mut answers = asked.buffered(AT_ONCE);
        while let Some((function, image)) = answers.next().await {
            if let Some(image) = details.take(&format!("image of {function}"), image)?.read() {
                sink.emit(&IMAGE, &image).await?;
            }
        }
        details.end()
    })
}

/// Packages of functions.
pub(crate) fn packages(functions: &[FunctionConfiguration]) -> impl Iterator<Item = Package> {
    functions.iter().map(|function| Package {
        function: function.function_arn().unwrap_or_default().to_owned(),
        is_image: function.package_type() == Some(&PackageType::Image),
    })
}

async fn list(sdk: &Client) -> Result<Vec<Package>, CollectError> {
    let (mut pages, mut all) = (pages(sdk), Vec::new());
    while let Some(page) = pages.next().await {
        all.extend(packages(page?.functions()));
    }
    Ok(all)
}

/// Reads the image of a function; `Ok(None)` if the function was deleted.
async fn read(sdk: &Client, Package { function, is_image }: Package) -> (String, Result<Option<Image>, CollectError>) {
    if !is_image {
        return (function.clone(), Ok(Some(Image { function, uri: None })));
    }
    let answer = unless_gone(sdk.get_function().function_name(&function).send().await);
    let image = answer.map(|answer| answer.map(|it| Image { function: function.clone(), uri: it.code.and_then(uri) }));
    (function, image)
}

fn uri(code: FunctionCodeLocation) -> Option<String> {
    code.resolved_image_uri.or(code.image_uri)
}

#[cfg(test)]
mod tests;
