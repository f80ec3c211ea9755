//! Codes in AWS's error answers.

use throttle::{answer, is_throttle_code};

const WORDS: &[&[u8]] = &[
    b"<Response>",
    b"<Error>",
    b"<Code>",
    b"</Code>",
    b"</Error>",
    b"Throttling",
    b"RequestLimitExceeded",
    b"{",
    b"}",
    b"\"__type\"",
    b"\"code\"",
    b":",
    b"\"",
    b"\\\"",
    b"com.amazonaws.ec2#",
    b"#",
    b"ThrottlingException:http://internal.amazon.com/",
    b" ",
    b"\n",
    b"\xff",
];

fn answer_with_code(dice: &mut fuzz::Dice) -> Vec<u8> {
    let code = dice.one(&["Throttling", "RequestLimitExceeded", "InvalidParameterValue", "", "a#b:c"]);
    match dice.below(3) {
        0 => format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"),
        1 => format!("{{\"__type\": \"com.amazonaws.organizations#{code}\", \"message\": \"no\"}}"),
        _ => format!("{{\"code\":\"{code}\",\"message\":\"no\"}}"),
    }
    .into_bytes()
}

#[test]
fn throttling() {
    let target = fuzz::Target::new("throttling").words(WORDS).well_formed(answer_with_code);
    // Nothing is copied, for answers of any size.
    target.memory(0, 0).allocations(0, 0).check(|bytes| {
        if let Some(code) = answer::code_in_body(bytes) {
            assert!(bytes.windows(code.len().max(1)).any(|part| part == code.as_bytes()) || code.is_empty());
            is_throttle_code(code);
        }
        // The header of an error's type.
        if let Ok(text) = std::str::from_utf8(bytes) {
            let code = answer::bare(text);
            assert!(!code.contains(['#', ':']), "{code:?}");
            assert_eq!(answer::bare(code), code);
        }
    });
}

#[test]
fn a_code_is_found_wherever_it_stands() {
    let body = |code: &str| [&b"<x>".repeat(100_000)[..], b"<Code>", code.as_bytes(), b"</Code>"].concat();
    assert_eq!(answer::code_in_body(&body("Throttling")), Some("Throttling"));
}
