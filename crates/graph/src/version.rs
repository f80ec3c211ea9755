//! Supported versions of Neo4j.

use std::fmt;

/// First version whose rows may contain labels and types (`CREATE (n:$($labels))`); the long-term release of
/// Neo4j 5 (<https://neo4j.com/docs/cypher-manual/5/deprecations-additions-removals-compatibility/>).
pub const OLDEST: Version = Version { major: 5, minor: 26 };

/// A version as `dbms.components()` reports it: 5.26.12, 2025.01.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
}

impl Version {
    /// Parses a version. `None` if it does not have Neo4j's form, as with other databases that speak Bolt.
    pub fn of(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| {
            let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            number[..digits].parse::<u32>().ok()
        });
        Some(Self { major: numbers.next()??, minor: numbers.next()?? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        for (text, is_new_enough) in [
            ("5.26.0", true),
            ("5.26-aura", true),
            ("5.27-aura", true),
            ("2025.01.0", true),
            ("5.25.1", false),
            ("5.9.0", false),
            ("4.4.44", false),
        ] {
            assert_eq!(Version::of(text).expect(text) >= OLDEST, is_new_enough, "{text}");
        }
        assert_eq!((Version::of(""), Version::of("5"), Version::of("x.y")), (None, None, None));
    }
}
