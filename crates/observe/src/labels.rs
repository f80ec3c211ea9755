//! Sets of labels. There are three labels, so that the number of series does not grow with accounts or regions.

use prometheus_client::encoding::EncodeLabelSet;
use std::{fmt::Debug, hash::Hash};

/// A set of labels with its names.
pub trait Labels: EncodeLabelSet + Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Names of the labels, in order.
    const NAMES: &'static [&'static str];
}

macro_rules! label_set {
    ($(#[$doc:meta])* $name:ident { $($label:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub struct $name {
            $(
                #[doc = concat!("Value of the label `", stringify!($label), "`.")]
                pub $label: String,
            )*
        }

        impl Labels for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($label)),*];
        }

        impl $name {
            /// The labels with these values.
            pub fn of($($label: &str),*) -> Self {
                Self { $($label: $label.to_owned()),* }
            }
        }
    };
}

/// No label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NoLabels;

impl Labels for NoLabels {
    const NAMES: &'static [&'static str] = &[];
}

impl EncodeLabelSet for NoLabels {
    fn encode(&self, _: &mut prometheus_client::encoding::LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

label_set! {
    /// A service.
    Service { service }
}
label_set! {
    /// An outcome.
    Outcome { outcome }
}
label_set! {
    /// A service and one of its API operations.
    Api { service, api }
}
label_set! {
    /// A service and an outcome.
    ServiceOutcome { service, outcome }
}
label_set! {
    /// A service, one of its API operations and an outcome.
    ApiOutcome { service, api, outcome }
}
