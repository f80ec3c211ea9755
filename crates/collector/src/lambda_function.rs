//! Functions of Lambda, as the answers of all services name them.

/// ARN of the function itself, from its ARN with or without a version or an alias:
/// `arn:<partition>:lambda:<region>:<account>:function:<name>:<version or alias>`.
pub fn unqualified_function(arn: &str) -> &str {
    arn.match_indices(':').nth(6).map_or(arn, |(end, _)| &arn[..end])
}

#[cfg(test)]
mod tests {
    use super::unqualified_function;

    #[test]
    fn a_version_and_an_alias_are_left_out() {
        let function = "arn:aws:lambda:us-east-1:111111111111:function:orders";
        for qualified in ["", ":live", ":3", ":$LATEST"].map(|end| format!("{function}{end}")) {
            assert_eq!(unqualified_function(&qualified), function);
        }
    }
}
