//! What an operator may set of a collector.

use std::{ops::RangeInclusive, time::Duration};

/// Flags of every collector.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Collecting")]
#[group(skip)]
pub struct Args {
    /// Listings at once in each account and region
    #[arg(long, env = "GROMA_CONCURRENCY", value_name = "N", default_value_t = 4)]
    pub concurrency: u64,
    /// Accounts and regions at once
    #[arg(long, env = "GROMA_ITEMS", value_name = "N", default_value_t = 4)]
    pub items: u64,
    /// Percent of AWS's API quotas to use at most: less leaves the rest to others in the accounts, more is for accounts
    /// whose quotas AWS has raised
    #[arg(long, env = "GROMA_QUOTA_PERCENT", value_name = "N", default_value_t = 100)]
    pub quota_percent: u64,
    /// Seconds that AWS may take to begin its answer to one attempt of a call
    #[arg(long, env = "GROMA_AWS_TIMEOUT", value_name = "SECONDS", default_value_t = 60)]
    pub aws_timeout: u64,
    /// Seconds that a listing may go without an answer, a page or a batch
    #[arg(long, env = "GROMA_LISTING_TIMEOUT", value_name = "SECONDS", default_value_t = 600)]
    pub listing_timeout: u64,
    /// Seconds that work in hand may go on after SIGTERM before another collector gets it
    #[arg(long, env = "GROMA_DRAIN_TIMEOUT", value_name = "SECONDS", default_value_t = 30)]
    pub drain_timeout: u64,
}

/// Valid settings of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Listings at once in each work item.
    pub concurrency: usize,
    /// Work items at once.
    pub items: usize,
    /// Percent of AWS's API quotas to use at most.
    pub quota_percent: u32,
    /// How long AWS may take to begin its answer to one attempt.
    pub aws_timeout: Duration,
    /// Shortest silence of an AWS endpoint before it is taken for unreachable.
    pub silence: Duration,
    /// Longest time of a listing without progress.
    pub listing_timeout: Duration,
    /// Longest time of a work item without progress. Longer than that of a listing, because a lease may take a minute
    /// and a half and a publish two minutes.
    pub stalled: Duration,
    /// Time after which a listing that makes progress publishes what it has, or that it goes on: far less than the
    /// patience of a sync, which counts from the last event.
    pub batch_age: Duration,
    /// How long work in hand may go on after a shutdown.
    pub drain_timeout: Duration,
    /// How long after a collector's last sign of life its work items go to another.
    pub ack_wait: Duration,
}

/// A value that cannot be.
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
    /// The settings, or every value that is out of range.
    ///
    /// # Errors
    /// One [`OptionError`] for each bad value.
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
