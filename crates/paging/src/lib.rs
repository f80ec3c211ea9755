//! Pages of a listing. A page token that AWS returns twice would start an endless loop. The SDK's paginators treat it
//! as the end of the listing, and Groma would then delete the rest from the graph. Here any earlier token is an error;
//! botocore rejects only the same token twice in a row (`PaginationError`).

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use futures::{Stream, stream};
use siphasher::sip::SipHasher13;
use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
};

/// AWS returned the same page token twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("AWS returned the same page token twice, so the rest of the listing cannot be read")]
pub struct RepeatedToken;

/// Page tokens of one call so far, as hashes.
#[derive(Debug, Default)]
pub struct Tokens(HashSet<u64>);

impl Tokens {
    /// Records a token.
    ///
    /// # Errors
    /// Fails if the token was recorded before.
    pub fn note(&mut self, token: &str) -> Result<(), RepeatedToken> {
        let mut hasher = SipHasher13::new();
        token.hash(&mut hasher);
        if self.0.insert(hasher.finish()) { Ok(()) } else { Err(RepeatedToken) }
    }
}

/// Pages of one call, created by [`paged!`].
pub struct Pages<O, E, R = HttpResponse> {
    stream: PaginationStream<Result<O, SdkError<E, R>>>,
    token: fn(&O) -> Option<&str>,
    tokens: Tokens,
}

/// Returns the pages of an SDK call with a paginator: `paged!(ec2.describe_vpcs().max_results(1000), next_token)`. The
/// second argument is the name of the token's field.
#[macro_export]
macro_rules! paged {
    ($call:expr, $token:ident) => {
        $crate::Pages::new($call.into_paginator().stop_on_duplicate_token(false).send(), |page| page.$token())
    };
}

impl<O, E, R> Pages<O, E, R> {
    /// Reads the pages of a stream that does not itself end at a repeated token.
    pub fn new(stream: PaginationStream<Result<O, SdkError<E, R>>>, token: fn(&O) -> Option<&str>) -> Self {
        Self { stream, token, tokens: Tokens::default() }
    }

    /// Returns the next page; `None` after the last.
    ///
    /// # Errors
    /// Returns the error of the call, or [`RepeatedToken`] as a construction failure.
    pub async fn next(&mut self) -> Option<Result<O, SdkError<E, R>>> {
        match self.stream.next().await? {
            Ok(page) => Some(self.check(&page).map(|()| page)),
            Err(error) => Some(Err(error)),
        }
    }

    /// Returns all pages.
    ///
    /// # Errors
    /// Same as [`Pages::next`].
    pub async fn all(mut self) -> Result<Vec<O>, SdkError<E, R>> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await {
            all.push(page?);
        }
        Ok(all)
    }

    /// Returns a stream of the pages that ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<O, SdkError<E, R>>> {
        stream::unfold(Some(self), async |pages| {
            let mut pages = pages?;
            let page = pages.next().await?;
            let rest = page.is_ok().then_some(pages);
            Some((page, rest))
        })
    }

    fn check(&mut self, page: &O) -> Result<(), SdkError<E, R>> {
        let token = (self.token)(page).filter(|token| !token.is_empty());
        token.map_or(Ok(()), |token| self.tokens.note(token)).map_err(SdkError::construction_failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_async::future::pagination_stream::fn_stream::FnStream;
    use futures::StreamExt;
    use std::convert::Infallible;

    type Page = Result<String, SdkError<Infallible, ()>>;

    fn pages(tokens: &[&str]) -> Pages<String, Infallible, ()> {
        let tokens: Vec<Page> = tokens.iter().map(|token| Ok((*token).to_owned())).collect();
        let stream = FnStream::new(move |sender| {
            Box::pin(async move {
                for page in tokens {
                    if sender.send(page).await.is_err() {
                        return;
                    }
                }
            })
        });
        Pages::new(PaginationStream::new(stream), |token| Some(token))
    }

    #[tokio::test]
    async fn a_repeated_token_is_an_error() {
        assert_eq!(pages(&["a", "b", ""]).all().await.expect("three pages").len(), 3);
        for tokens in [&["a", "a"][..], &["a", "b", "a"]] {
            let error = pages(tokens).all().await.expect_err("it is repeated");
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(cause.contains("same page token twice"), "{cause}");
        }
    }

    #[tokio::test]
    async fn a_stream_of_pages_ends_after_an_error() {
        let read = |tokens| pages(tokens).into_stream().map(|page| page.is_ok()).collect::<Vec<_>>();
        assert_eq!(read(&["a", "b", ""]).await, [true; 3]);
        assert_eq!(read(&["a", "a", "b"]).await, [true, false]);
    }
}
