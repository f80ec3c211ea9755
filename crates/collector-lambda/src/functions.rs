//! Listing of functions: `ListFunctions`, then three calls about each for its state, policy and aliases. It notes the
//! functions for the listing of images.

use crate::{
    alias::{self, ALIAS, Alias},
    function::{self, FUNCTION},
    image,
    lambda::Lambda,
    layer::{FURTHER_USE, LAYER, Layers},
    policy::{self, FunctionPolicy, POLICY},
    status::{self, STATUS, Status},
};
use aws_sdk_lambda::{Client, types::FunctionConfiguration};
use collector::{CollectError, Collecting, Detail, Details, Listing, Sink};
use futures::{StreamExt, stream};

/// Limit of functions with concurrent calls. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 16;

/// Listing of functions, aliases and layers, which functions have with them.
pub(crate) const LISTING: Listing<Lambda> = Listing {
    name: "ListFunctions",
    actions: &["lambda:ListFunctions", "lambda:GetFunctionConfiguration", "lambda:GetPolicy", "lambda:ListAliases"],
    feeds: &[&FUNCTION, &STATUS, &POLICY, &ALIAS, &LAYER, &FURTHER_USE],
    collect,
};

fn collect<'a>(lambda: &'a Lambda, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut packages = lambda.packages.begin().await;
        let mut pages = function::pages(&lambda.sdk);
        let (mut details, mut layers) = (Details::default(), Layers::default());
        while let Some(page) = pages.next().await {
            let functions = page?.functions.unwrap_or_default();
            packages.extend(image::packages(&functions));
            let asked = stream::iter(functions).map(|function| asked(&lambda.sdk, function));
            let mut answers = asked.buffered(AT_ONCE);
            while let Some(function) = answers.next().await {
                emit(function, &mut details, &mut layers, sink).await?;
            }
        }
        packages.complete();
        details.end()
    })
}

/// A listed function with the answers to the calls about it.
struct Asked {
    function: FunctionConfiguration,
    status: Result<Option<Status>, CollectError>,
    policy: Result<FunctionPolicy, CollectError>,
    aliases: Result<Option<Vec<Alias>>, CollectError>,
}

/// Makes the calls about a function. They name it by its ARN: the limiter takes a name in small letters for a part of the
/// path.
async fn asked(client: &Client, function: FunctionConfiguration) -> Asked {
    let arn = function.function_arn().unwrap_or_default();
    let status = status::read(client, arn).await;
    let policy = policy::read(client, arn).await;
    let aliases = alias::read(client, arn).await;
    Asked { function, status, policy, aliases }
}

/// Writes a function with everything that could be read about it; nothing if it was deleted meanwhile.
async fn emit(asked: Asked, details: &mut Details, layers: &mut Layers, sink: &mut Sink) -> Result<(), CollectError> {
    let Asked { function, status, policy, aliases } = asked;
    let name = function.function_name().unwrap_or_default();
    let status = details.take(&format!("state of {name}"), status)?;
    let policy = details.take(&format!("policy of {name}"), policy.map(Some))?;
    let aliases = details.take(&format!("aliases of {name}"), aliases)?;
    if matches!(status, Detail::Gone) || matches!(aliases, Detail::Gone) {
        return Ok(());
    }
    sink.emit(&FUNCTION, &function).await?;
    sink.emit_all(&STATUS, status.read().as_ref()).await?;
    sink.emit_all(&POLICY, policy.read().as_ref()).await?;
    sink.emit_all(&ALIAS, aliases.read().iter().flatten()).await?;
    layers.emit(&function, sink).await
}

#[cfg(test)]
mod tests;
