//! Retries of the SDK, as the user's AWS configuration sets them.

use aws_smithy_types::retry::RetryConfig;
use events::{ClientSettings, RetryMode};

/// Retries with the mode and the number of attempts of `settings`. `attempts` is the number if the user sets none.
pub fn retries(settings: &ClientSettings, attempts: u32) -> RetryConfig {
    let config = match settings.retry_mode() {
        RetryMode::Adaptive => RetryConfig::adaptive(),
        RetryMode::Standard | RetryMode::Unspecified => RetryConfig::standard(),
    };
    config.with_max_attempts(if settings.max_attempts == 0 { attempts } else { settings.max_attempts })
}

#[cfg(test)]
mod tests {
    use super::retries;
    use aws_smithy_types::retry::RetryMode;
    use events::ClientSettings;

    #[test]
    fn the_user_sets_mode_and_attempts() {
        let settings =
            ClientSettings { retry_mode: events::RetryMode::Adaptive.into(), max_attempts: 7, ..Default::default() };
        let config = retries(&settings, 5);
        assert_eq!((config.mode(), config.max_attempts()), (RetryMode::Adaptive, 7));
    }

    #[test]
    fn without_settings_the_mode_is_standard() {
        let config = retries(&ClientSettings::default(), 5);
        assert_eq!((config.mode(), config.max_attempts()), (RetryMode::Standard, 5));
    }
}
