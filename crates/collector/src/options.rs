//! Operator's settings of a collector.

use std::{ops::RangeInclusive, time::Duration};

/// Flags of every collector.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Collecting")]
#[group(skip)]
pub struct Args {
    /// Limit of concurrent listings in each account and region
    #[arg(long, env = "GROMA_CONCURRENCY", value_name = "N", default_value_t = 4)]
    pub concurrency: u64,
    /// Limit of concurrent accounts and regions
    #[arg(long, env = "GROMA_ITEMS", value_name = "N", default_value_t = 4)]
    pub items: u64,
    /// Share of AWS's API quotas to use, in percent: less leaves some to other users of the accounts, more is for
    /// accounts with raised quotas
    #[arg(long, env = "GROMA_QUOTA_PERCENT", value_name = "N", default_value_t = 100)]
    pub quota_percent: u64,
    /// Time limit in seconds for AWS to begin its response to one attempt of a call
    #[arg(long, env = "GROMA_AWS_TIMEOUT", value_name = "SECONDS", default_value_t = 60)]
    pub aws_timeout: u64,
    /// Time limit in seconds of a listing without a response, a page or a batch
    #[arg(long, env = "GROMA_LISTING_TIMEOUT", value_name = "SECONDS", default_value_t = 600)]
    pub listing_timeout: u64,
    /// Time limit in seconds for unfinished work after SIGTERM, before another collector gets it
    #[arg(long, env = "GROMA_DRAIN_TIMEOUT", value_name = "SECONDS", default_value_t = 30)]
    pub drain_timeout: u64,
}

/// Valid settings of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Limit of concurrent listings in each work item.
    pub concurrency: usize,
    /// Limit of concurrent work items.
    pub items: usize,
    /// Share of AWS's API quotas to use, in percent.
    pub quota_percent: u32,
    /// Time limit for AWS to begin its response to one attempt.
    pub aws_timeout: Duration,
    /// Shortest silence after which an AWS endpoint counts as unreachable.
    pub silence: Duration,
    /// Time limit of a listing without progress.
    pub listing_timeout: Duration,
    /// Time limit of a work item without progress, in addition to that of a listing: a lease may take a minute and a
    /// half and a publish two minutes.
    pub stalled: Duration,
    /// Interval at which a listing with progress publishes its rows, or an empty batch. Far below the patience of a sync,
    /// which counts from the last event.
    pub batch_age: Duration,
    /// Time limit for unfinished work after a shutdown.
    pub drain_timeout: Duration,
    /// Time after a collector's last sign of life until its work items go to another.
    pub ack_wait: Duration,
}

/// A flag with a value out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} must be between {least} and {most}, not {value}")]
pub struct OptionError {
    flag: &'static str,
    value: u64,
    least: u64,
    most: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 4,
            items: 4,
            quota_percent: 100,
            aws_timeout: Duration::from_mins(1),
            silence: Duration::from_secs(45),
            listing_timeout: Duration::from_mins(10),
            stalled: Duration::from_mins(5),
            batch_age: Duration::from_mins(1),
            drain_timeout: Duration::from_secs(30),
            ack_wait: bus::ACK_WAIT,
        }
    }
}

impl Args {
    /// Checks the flags.
    ///
    /// # Errors
    /// Returns an [`OptionError`] for each invalid value.
    pub fn validate(self) -> Result<Options, Vec<OptionError>> {
        let checks = [
            ("--concurrency", self.concurrency, 1..=64),
            ("--items", self.items, 1..=256),
            ("--quota-percent", self.quota_percent, 1..=10_000),
            ("--aws-timeout", self.aws_timeout, 1..=900),
            ("--listing-timeout", self.listing_timeout, 1..=86_400),
            ("--drain-timeout", self.drain_timeout, 0..=3_600),
        ];
        let errors: Vec<OptionError> =
            checks.into_iter().filter_map(|(flag, value, range)| out_of(flag, value, &range)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let defaults = Options::default();
        Ok(Options {
            concurrency: usize::try_from(self.concurrency).unwrap_or(defaults.concurrency),
            items: usize::try_from(self.items).unwrap_or(defaults.items),
            quota_percent: u32::try_from(self.quota_percent).unwrap_or(defaults.quota_percent),
            aws_timeout: Duration::from_secs(self.aws_timeout),
            listing_timeout: Duration::from_secs(self.listing_timeout),
            drain_timeout: Duration::from_secs(self.drain_timeout),
            ..defaults
        })
    }
}

fn out_of(flag: &'static str, value: u64, range: &RangeInclusive<u64>) -> Option<OptionError> {
    let error = OptionError { flag, value, least: *range.start(), most: *range.end() };
    (!range.contains(&value)).then_some(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn parse(flags: &[&str]) -> Result<Options, Vec<OptionError>> {
        let flags = ["collector"].iter().chain(flags);
        Command::try_parse_from(flags).expect("numbers").args.validate()
    }

    #[test]
    fn without_flags_the_defaults_hold() {
        assert_eq!(parse(&[]), Ok(Options::default()));
        let options =
            parse(&["--concurrency", "9", "--aws-timeout", "2", "--drain-timeout", "0"]).expect("good values");
        assert_eq!((options.concurrency, options.aws_timeout), (9, Duration::from_secs(2)));
        assert_eq!(options.drain_timeout, Duration::ZERO);
    }

    #[test]
    fn every_bad_value_is_said_at_once() {
        let errors =
            parse(&["--concurrency", "0", "--items", "1000", "--listing-timeout", "0"]).expect_err("bad values");
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(lines[0], "--concurrency must be between 1 and 64, not 0");
        assert_eq!(lines.len(), 3);
    }
}
