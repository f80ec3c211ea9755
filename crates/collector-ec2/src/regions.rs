//! Enabled regions of an account: `DescribeRegions`.

use crate::Clients;
use collector::CollectError;
use futures::future::BoxFuture;

/// Required permissions.
pub(crate) const ACTIONS: &[&str] = &["ec2:DescribeRegions"];

/// Returns the sorted names of the regions. Without `AllRegions` the API returns enabled ones only.
pub(crate) fn enabled(clients: &Clients) -> BoxFuture<'_, Result<Vec<String>, CollectError>> {
    Box::pin(async move {
        let answer = clients.ec2.describe_regions().send().await?;
        let mut names: Vec<String> =
            answer.regions().iter().filter_map(|it| it.region_name().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    })
}

#[cfg(test)]
mod tests {
    use super::enabled;
    use crate::canned::Canned;

    #[tokio::test]
    async fn regions_come_sorted() {
        let server = Canned::answering(&["<regionInfo><item><regionName>us-east-1</regionName></item>\
             <item><regionName>eu-west-1</regionName></item></regionInfo>"]);
        assert_eq!(enabled(&server.clients()).await.expect("an answer"), ["eu-west-1", "us-east-1"]);
        assert_eq!(server.requests()[0].field("AllRegions"), None);
    }
}
