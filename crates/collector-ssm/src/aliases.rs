//! Aliases of KMS keys: `ListAliases`, once a parameter names a key by an alias.

use aws_sdk_kms::Client;
use collector::{CollectError, Place, paged};
use std::collections::HashMap;

/// Ids of a region's keys by the ARNs of their aliases.
#[derive(Debug, Default)]
pub(crate) struct Aliases(HashMap<String, String>);

impl Aliases {
    /// Reads the aliases of the client's account and region.
    ///
    /// # Errors
    /// Fails if a call fails.
    pub(crate) async fn read(kms: &Client) -> Result<Self, CollectError> {
        let (mut pages, mut keys) = (paged!(kms.list_aliases().limit(100), next_marker), HashMap::new());
        while let Some(page) = pages.next().await {
            let aliases = page?.aliases.into_iter().flatten();
            keys.extend(aliases.filter_map(|alias| Some((alias.alias_arn?, alias.target_key_id?))));
        }
        Ok(Self(keys))
    }

    /// Id of the key of an alias, which is given by its name or ARN. `None` for an alias of another account or region, and
    /// for one without a key.
    pub(crate) fn key_id(&self, alias: &str, place: &Place) -> Option<&str> {
        let key = if is_name(alias) { self.0.get(&place.arn("kms", alias)) } else { self.0.get(alias) };
        key.map(String::as_str)
    }
}

/// Whether a parameter's `KeyId` is an alias, by its name or ARN.
pub(crate) fn is_alias(key: &str) -> bool {
    is_name(key) || key.contains(":alias/")
}

fn is_name(key: &str) -> bool {
    key.starts_with("alias/")
}

#[cfg(test)]
mod tests {
    use super::{Aliases, is_alias};
    use crate::SERVICE;
    use collector::testing::{Canned, place};

    const OWN: &str = "arn:aws:kms:us-east-1:111111111111:alias/orders";

    #[tokio::test]
    async fn an_alias_is_found_by_name_and_by_arn() {
        let first = format!(r#"{{"Aliases": [{{"AliasArn": "{OWN}", "TargetKeyId": "1"}}], "NextMarker": "more"}}"#);
        let free = r#"{"Aliases": [{"AliasArn": "arn:aws:kms:us-east-1:111111111111:alias/free"}]}"#;
        let server = Canned::answering(&[&first, free]);
        let aliases = Aliases::read(&(SERVICE.connect)(&server.connection()).kms).await.expect("two pages");
        let key = |alias| aliases.key_id(alias, &place());
        assert_eq!(["alias/orders", OWN].map(key), [Some("1"); 2]);
        let foreign = "arn:aws:kms:us-east-1:222222222222:alias/orders";
        assert_eq!(["alias/free", "alias/unknown", foreign].map(key), [None; 3]);
    }

    #[test]
    fn only_aliases_are_looked_up() {
        let key = "arn:aws:kms:us-east-1:111111111111:key/1234abcd";
        assert_eq!(["alias/aws/ssm", OWN, key, "1234abcd"].map(is_alias), [true, true, false, false]);
    }
}
