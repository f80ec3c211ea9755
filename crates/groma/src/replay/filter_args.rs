//! Selection of the replayed part of a recording.

use ::replay::Filter;

/// The flags.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What to replay")]
#[group(skip)]
pub struct FilterArgs {
    /// Accounts, by their 12 digits, separated by commas [default: all]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub accounts: Vec<String>,
    /// Regions; `global` for services without regions, such as IAM, and for the account itself [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// Services, such as ec2 or iam; sts has the account itself [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub services: Vec<String>,
    /// Types: labels of nodes, such as AWSEC2Instance, with the edges that they declare; removes nothing from the graph [default: all]
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    pub types: Vec<String>,
}

impl FilterArgs {
    /// Builds the filter.
    pub fn filter(&self) -> Filter {
        let set = |texts: &[String]| texts.iter().map(|text| text.trim().to_owned()).collect();
        Filter {
            accounts: set(&self.accounts),
            regions: set(&self.regions),
            services: set(&self.services),
            types: set(&self.types),
        }
    }
}
