//! Names that become Cypher: labels, relationship types and property names.

/// Longest accepted name. Neo4j allows 16,383 characters, but no real name has nearly that many.
pub const MAX_LENGTH: usize = 128;

/// Whether a name may stand unquoted in a Cypher statement: `[A-Za-z_][A-Za-z0-9_]*`.
pub fn is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= MAX_LENGTH
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_valid;
    use proptest::prelude::*;

    #[test]
    fn names_of_the_schema_pass_and_cypher_does_not() {
        for good in ["AWSEC2Subnet", "_ont_name", "lastupdated", "A1"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "1a", "a-b", "a b", "a`b", "a) DETACH DELETE (n", "é", &"a".repeat(129)] {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_needs_no_quotes(name in ".*") {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            prop_assert!(!is_valid(&name) || plain);
        }
    }
}
