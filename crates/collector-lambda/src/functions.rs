//! Listing of functions: `ListFunctions`, then three calls about each for its state, policy and aliases.

use crate::{
    alias::{self, ALIAS, Alias},
    function::FUNCTION,
    layer::{FURTHER_USE, LAYER, Layers},
    policy::{self, FunctionPolicy, POLICY},
    status::{self, STATUS, Status},
};
use aws_sdk_lambda::{Client, types::FunctionConfiguration};
use collector::{CollectError, Collecting, Detail, Details, Listing, Sink, paged};
use futures::{StreamExt, stream};

/// Limit of functions with concurrent calls. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 16;

/// Listing of functions, aliases and layers. AWS answers with at most 50 functions (AWS Lambda API Reference,
/// `ListFunctions`), which have their layers with them.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListFunctions",
    actions: &[
        "lambda:ListFunctions",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetPolicy",
        "lambda:ListAliases",
    ],
    feeds: &[&FUNCTION, &STATUS, &POLICY, &ALIAS, &LAYER, &FURTHER_USE],
    collect,
};

fn collect<'a>(client: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(client.list_functions().max_items(50), next_marker);
        let (mut details, mut layers) = (Details::default(), Layers::default());
        while let Some(page) = pages.next().await {
            let asked = stream::iter(page?.functions.into_iter().flatten()).map(|function| asked(client, function));
            let mut answers = asked.buffered(AT_ONCE);
            while let Some(function) = answers.next().await {
                emit(function, &mut details, &mut layers, sink).await?;
            }
        }
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
    let status = status::read(client, &function).await;
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
