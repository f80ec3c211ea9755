//! Names that are like another one, for messages about unknown names.

/// Number of names that a message suggests.
const SUGGESTED: usize = 3;
/// Likeness of a name that a message suggests.
const LIKE: f64 = 0.75;
/// Longest name that is compared: the comparison takes the square of its length.
const LONGEST: usize = 200;

/// Returns at most three names like `wanted`, the most similar first. Ignores case, and takes `-` for `_`.
pub fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    let wanted = folded(wanted);
    let alike = |name: &'a str| {
        let known = folded(name);
        let is_part = wanted.len() > 3 && known.contains(&wanted);
        let likeness = if is_part { 1.0 } else { strsim::jaro_winkler(&wanted, &known) };
        (likeness > LIKE).then_some((likeness, name))
    };
    let mut found: Vec<(f64, &str)> = names.into_iter().filter_map(alike).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.len().cmp(&b.1.len())).then(a.1.cmp(b.1)));
    found.into_iter().take(SUGGESTED).map(|(_, name)| name).collect()
}

/// Formats names as `: did you mean a, b?`. Empty without names.
pub fn suggestion(near: &[&str]) -> String {
    if near.is_empty() { String::new() } else { format!(": did you mean {}?", near.join(", ")) }
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::{near, suggestion};

    #[test]
    fn the_most_similar_name_comes_first() {
        let names = ["AWSEC2Instance", "AWSEC2Image", "AWSVpc", "EC2_THING"];
        assert_eq!(near("awsec2instanc", names)[0], "AWSEC2Instance");
        assert_eq!(near("ec2-thing", names), ["EC2_THING"]);
        assert_eq!(near("instance", names), ["AWSEC2Instance"]);
        assert_eq!(near("zzz", names), [""; 0]);
        assert_eq!(near(&"a".repeat(1_000_000), names), [""; 0]);
    }

    #[test]
    fn a_message_suggests_names_only_if_there_are_some() {
        assert_eq!((suggestion(&[]), suggestion(&["a", "b"])), (String::new(), ": did you mean a, b?".into()));
    }
}
