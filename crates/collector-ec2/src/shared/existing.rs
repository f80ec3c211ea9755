//! Reads resources by id, although AWS refuses a whole call if one of them does not exist.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use collector::{CollectError, Details};
use events::listed;

/// Ids in one request: far below EC2's limit, and enough for one call in most accounts.
const IDS: usize = 200;

/// Returns the resources that exist. A refusal names missing ids, and the next request omits them; if it names none, each
/// half is requested separately. A request that fails for another reason fails its own ids.
///
/// # Errors
/// The failure does not concern single ids, or too many requests have failed.
pub(crate) async fn existing<T, E, A>(
    ids: &[String],
    details: &mut Details,
    ask: impl Fn(Vec<String>) -> A,
) -> Result<Vec<T>, CollectError>
where
    A: Future<Output = Result<Vec<T>, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let mut found = Vec::new();
    let mut open: Vec<Vec<String>> = ids.chunks(IDS).map(<[String]>::to_vec).collect();
    while let Some(batch) = open.pop() {
        match ask(batch.clone()).await {
            Ok(items) => {
                details.note_read();
                found.extend(items);
            }
            Err(error) => match refused(&error, &batch) {
                Some(message) => open.extend(rest(batch, &message)),
                None => {
                    details.take::<()>(&listed(&batch, ", "), Err(error.into()))?;
                }
            },
        }
    }
    Ok(found)
}

/// AWS's message, if it refuses the call because of the ids.
fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>, batch: &[String]) -> Option<String> {
    let error = error.as_service_error()?;
    let message = error.message().unwrap_or_default();
    let gone = error.code().is_some_and(|code| code.ends_with(".NotFound"));
    (gone || batch.iter().any(|id| message.contains(id.as_str()))).then(|| message.to_owned())
}

/// The batches to request instead; empty if none of these ids can exist.
fn rest(batch: Vec<String>, message: &str) -> Vec<Vec<String>> {
    let (named, mut unnamed): (Vec<_>, Vec<_>) = batch.into_iter().partition(|id| message.contains(id.as_str()));
    match (named.len(), unnamed.len()) {
        (_, 0) | (0, 1) => Vec::new(),
        (0, count) => {
            let second = unnamed.split_off(count / 2);
            vec![unnamed, second]
        }
        _ => vec![unnamed],
    }
}

#[cfg(test)]
mod tests {
    use super::{CollectError, Details, IDS, existing, rest};
    use crate::canned::Canned;
    use aws_sdk_ec2::types::Image;

    fn ids(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_named_is_left_out_else_halves_are_asked_for() {
        let batch = || ids(&["ami-1", "ami-2", "ami-3"]);
        assert_eq!(rest(batch(), "The image ids '[ami-1, ami-3]' do not exist"), [ids(&["ami-2"])]);
        assert_eq!(rest(batch(), ""), [ids(&["ami-1"]), ids(&["ami-2", "ami-3"])]);
        assert_eq!(rest(batch(), "ami-1, ami-2, ami-3"), Vec::<Vec<String>>::new());
        assert_eq!(rest(ids(&["ami-1"]), ""), Vec::<Vec<String>>::new());
        assert_eq!(rest(ids(&["ami-1"]), "ami-1"), Vec::<Vec<String>>::new());
    }

    async fn images(server: &Canned, asked: &[String], details: &mut Details) -> Result<Vec<Image>, CollectError> {
        let ec2 = server.clients().ec2;
        let answer = existing(asked, details, |ids| {
            let call = ec2.describe_images().include_disabled(true).set_image_ids(Some(ids));
            async { Ok::<_, aws_sdk_ec2::error::SdkError<_>>(call.send().await?.images.unwrap_or_default()) }
        });
        answer.await
    }

    #[tokio::test]
    async fn one_that_is_gone_costs_one_more_call() {
        let server = Canned::answering(&[
            "!InvalidAMIID.NotFound The image id '[ami-1]' does not exist",
            "<imagesSet><item><imageId>ami-2</imageId></item></imagesSet>",
        ]);
        let mut details = Details::default();
        let found = images(&server, &ids(&["ami-1", "ami-2"]), &mut details).await.expect("the other is there");
        assert_eq!(found.iter().map(Image::image_id).collect::<Vec<_>>(), [Some("ami-2")]);
        let asked: Vec<_> = server.requests().iter().map(|it| it.field("ImageId.1").map(str::to_owned)).collect();
        assert_eq!(asked, [Some("ami-1".to_owned()), Some("ami-2".to_owned())]);
    }

    #[tokio::test]
    async fn another_refusal_fails_the_ids_of_its_call_alone() {
        let server = Canned::answering(&[
            "!InternalError Try again.",
            "<imagesSet><item><imageId>ami-1</imageId></item></imagesSet>",
        ]);
        let (mut details, asked) = (Details::default(), (0..=IDS).map(|nth| format!("ami-{nth}")).collect::<Vec<_>>());
        let found = images(&server, &asked, &mut details).await.expect("the others are there");
        assert_eq!(found.len(), 1);
        assert_eq!(details.end().expect_err("one is not").message, "ami-200: InternalError: Try again.");
    }

    #[tokio::test]
    async fn calls_that_fail_here_and_there_do_not_end_the_listing() {
        const CALLS: usize = 120;
        // The last ids are requested first, and are read.
        let mut answers = vec!["<imagesSet><item><imageId>ami-1</imageId></item></imagesSet>"];
        answers.resize(CALLS - 1, "!UnauthorizedOperation You are not authorized.");
        answers.push("<imagesSet><item><imageId>ami-2</imageId></item></imagesSet>");
        let server = Canned::answering(&answers);
        let asked: Vec<_> = (0..CALLS * IDS).map(|nth| format!("ami-{nth}")).collect();
        let mut details = Details::default();
        let found = images(&server, &asked, &mut details).await.expect("some can be read");
        assert_eq!((found.len(), server.requests().len()), (2, CALLS));
        assert!(details.end().expect_err("most are not").message.starts_with("118 items could not be read"));
    }

    #[tokio::test]
    async fn what_is_wrong_with_all_calls_is_an_error() {
        let server = Canned::answering(&["!ExpiredToken The session has ended."]);
        let error = images(&server, &ids(&["ami-1"]), &mut Details::default()).await.expect_err("it has ended");
        assert_eq!(error.message, "ExpiredToken: The session has ended.");
    }
}
