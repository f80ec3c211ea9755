//! Facts that an answer does not consider. Each answer names them, because "no path" is only as good as the steps that were followed.

use crate::{
    end::{From, To},
    hop::{RANGE, network},
};
use std::fmt::Write;

/// Returns what the paths between two ends do not consider, one a line.
pub(crate) fn not_considered(from: &From, to: &To) -> Vec<String> {
    let mut notes = Vec::new();
    let begins_in_network = match from {
        From::Internet => true,
        From::Asset(asset) => network().iter().any(|hop| hop.from.label == asset.label),
    };
    if begins_in_network {
        notes.push("route tables, network ACLs, outbound rules, prefix lists, and rules of a listener".to_owned());
    }
    match from {
        From::Internet => {
            let mut note =
                "rules for a part of the internet and for IPv6: only rules for 0.0.0.0/0 are followed".to_owned();
            if let To::Asset(asset) = to
                && asset.node.has_ipv6
            {
                // A `String` takes any text.
                let _ = write!(note, ", but {} has an IPv6 address", asset.node.id);
            }
            notes.push(note);
        }
        From::Asset(asset) if asset.label == RANGE => {
            notes.push("rules for larger or smaller ranges: only rules for exactly this range are followed".to_owned());
        }
        From::Asset(_) => {}
    }
    let public = if *from == From::Internet { " (except whether everyone may use a bucket)" } else { "" };
    notes.push(format!(
        "policies of buckets, keys and secrets{public}, and service control policies: permissions come from identity policies, \
         trust policies and boundaries"
    ));
    if *to == To::Administrator {
        notes.push(
            "escalation to administrator by changing policies or passing roles: ask `groma ask policy_allows_escalation` and \
             `groma ask principal_passes_admin_role`"
                .to_owned(),
        );
    }
    notes
}
