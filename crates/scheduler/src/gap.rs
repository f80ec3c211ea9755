//! Accepted gaps: parts of a survey that cannot be seen, and that the user has accepted until a date.

use chrono::NaiveDate;
use events::FailureClass;
use serde::Deserialize;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};
use toml::value::Datetime;

/// Stands for all accounts, regions, services or listings.
const ALL: &str = "*";
/// Size limit of the file in bytes: several thousand gaps.
const MOST_BYTES: usize = 1 << 20;

/// A gap that does not make a survey incomplete before it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// 12 digits, or `*` for all accounts.
    pub account: String,
    /// Region, `global`, or `*` for all.
    pub region: String,
    /// Service, or `*` for all.
    pub service: String,
    /// API operation, or `*` for all.
    pub listing: String,
    /// Class of the failure.
    pub class: FailureClass,
    /// The user's reason to accept the gap.
    pub reason: String,
    /// Last day (UTC) on which it is accepted.
    pub expires: NaiveDate,
}

/// A file of accepted gaps that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GapError {
    /// The file cannot be read.
    #[error("--accept: cannot read {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Cause.
        error: io::Error,
    },
    /// The file is not TOML with the fields of a gap.
    #[error("--accept: {path}: {message}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Place in the file and reason.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    gap: Vec<Written>,
}

/// A gap as in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    account: String,
    #[serde(default = "all")]
    region: String,
    #[serde(default = "all")]
    service: String,
    #[serde(default = "all")]
    listing: String,
    class: String,
    reason: String,
    expires: Datetime,
}

fn all() -> String {
    ALL.to_owned()
}

impl Gap {
    /// Reads a file with a `[[gap]]` table for each gap.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is not TOML, or has a gap with missing, unknown or invalid fields.
    pub fn read(path: &Path) -> Result<Vec<Self>, GapError> {
        let text = files::read_text(path, MOST_BYTES).map_err(|error| GapError::File { path: path.into(), error })?;
        Self::parse(&text).map_err(|message| GapError::Content { path: path.into(), message })
    }

    fn parse(text: &str) -> Result<Vec<Self>, String> {
        let content: Content = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let gaps = content.gap.into_iter().enumerate();
        gaps.map(|(index, gap)| Self::of(gap).map_err(|reason| format!("gap {}: {reason}", index + 1))).collect()
    }

    fn of(written: Written) -> Result<Self, String> {
        let Written { account, region, service, listing, class, reason, expires } = written;
        if account != ALL && !(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(format!("account {account:?} is neither an account id (12 digits) nor \"*\""));
        }
        if service != ALL && catalog::services().iter().all(|known| known.name != service) {
            return Err(format!("service {service:?} is not collected"));
        }
        if reason.trim().is_empty() {
            return Err("reason is empty".to_owned());
        }
        let named = FailureClass::all().find(|known| known.words() == class);
        let class = named.ok_or_else(|| {
            let known: Vec<_> = FailureClass::all().map(FailureClass::words).collect();
            format!("class {class:?} is not one of: {}", known.join(", "))
        })?;
        let (Some(date), None) = (expires.date, expires.time) else {
            return Err(format!("expires = {expires} is not a date such as 2027-01-31"));
        };
        let expires = NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
            .ok_or_else(|| format!("expires = {date} is not a date"))?;
        Ok(Self { account, region, service, listing, class, reason, expires })
    }

    /// Whether the gap covers a failure with these names. A failure of all regions, services or listings (`*`) needs a
    /// gap of all of them.
    pub fn covers(&self, account: &str, [region, service, listing]: [&str; 3], class: FailureClass) -> bool {
        let is_in = |accepted: &str, name: &str| accepted == ALL || accepted == name;
        !account.is_empty()
            && is_in(&self.account, account)
            && is_in(&self.region, region)
            && is_in(&self.service, service)
            && is_in(&self.listing, listing)
            && self.class == class
    }

    /// Whether the gap is no longer accepted.
    pub fn is_expired(&self, today: NaiveDate) -> bool {
        self.expires < today
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, service, listing, class, .. } = self;
        write!(f, "{account} {region} {service} {listing}: {}", class.words())
    }
}

#[cfg(test)]
mod tests {
    use super::Gap;
    use chrono::NaiveDate;
    use events::FailureClass;

    const WHOLE: &str = r#"
        [[gap]]
        account = "222222222222"
        region = "me-south-1"
        service = "ec2"
        listing = "DescribeVpcs"
        class = "access denied"
        reason = "SCP blocks the region"
        expires = 2027-01-31
    "#;

    fn gap(text: &str) -> Gap {
        Gap::parse(text).expect("a gap").remove(0)
    }

    fn error(from: &str, to: &str) -> String {
        Gap::parse(&WHOLE.replace(from, to)).expect_err("it is refused")
    }

    #[test]
    fn a_gap_covers_what_it_names() {
        let (gap, denied) = (gap(WHOLE), FailureClass::AccessDenied);
        let names = ["me-south-1", "ec2", "DescribeVpcs"];
        assert!(gap.covers("222222222222", names, denied));
        assert!(!gap.covers("111111111111", names, denied));
        assert!(!gap.covers("222222222222", names, FailureClass::Timeout));
        assert!(!gap.covers("222222222222", ["me-south-1", "ec2", "*"], denied), "all listings are more than one");
    }

    #[test]
    fn regions_services_and_listings_may_be_left_out() {
        let all = gap("[[gap]]\naccount = \"*\"\nclass = \"not enabled\"\nreason = \"r\"\nexpires = 2027-01-31");
        assert!(all.covers("1", ["*", "*", "*"], FailureClass::NotEnabled));
        assert!(!all.covers("", ["*", "*", "*"], FailureClass::NotEnabled), "the graph itself is no gap");
    }

    #[test]
    fn the_last_day_counts() {
        let day = |day| NaiveDate::from_ymd_opt(2027, 1, day).expect("a date");
        let gap = gap(WHOLE);
        assert!(!gap.is_expired(day(31)));
        assert!(gap.is_expired(day(31).succ_opt().expect("a date")));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_explained() {
        assert_eq!(error("222222222222", "22"), "gap 1: account \"22\" is neither an account id (12 digits) nor \"*\"");
        assert_eq!(error("\"ec2\"", "\"ec3\""), "gap 1: service \"ec3\" is not collected");
        assert!(error("access denied", "denied").starts_with("gap 1: class \"denied\" is not one of: access denied,"));
        assert_eq!(error("SCP blocks the region", " "), "gap 1: reason is empty");
        assert!(error("2027-01-31", "07:30:00").contains("is not a date such as 2027-01-31"));
        assert!(error("region =", "regoin =").contains("unknown field `regoin`"));
        assert!(error("expires = 2027-01-31", "").contains("missing field `expires`"));
    }

    #[test]
    fn a_file_without_gaps_accepts_none() {
        assert_eq!(Gap::parse("# later").expect("it is TOML"), []);
    }
}
