//! Places of lost scopes, in a few bytes for each. A list of scopes that is too long for a message is cut, but every
//! lost place must be collected again. So the message names the places of the others. If they do not fit either, it
//! names too many places, never too few.

use events::{LostArea, LostGroup, Message, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// Places of lost scopes.
#[derive(Debug, Clone, Default)]
pub(crate) struct LostPlaces {
    /// Regions and services by number.
    areas: Vec<LostArea>,
    /// Their numbers, by region and service.
    numbers: BTreeMap<String, BTreeMap<String, u32>>,
    /// Areas by account; those of all accounts under an empty id.
    accounts: BTreeMap<String, BTreeSet<u32>>,
    everything: bool,
}

impl LostPlaces {
    /// Reads the places that a message names.
    pub(crate) fn of(message: &events::LostPlaces) -> Self {
        let mut places = Self { everything: message.everything, ..Self::default() };
        for LostGroup { accounts, areas } in &message.groups {
            let all = [String::new()];
            let accounts = if accounts.is_empty() { &all[..] } else { accounts };
            for area in areas.iter().filter_map(|area| message.areas.get(*area as usize)) {
                for account in accounts {
                    places.insert(account, &area.region, &area.service);
                }
            }
        }
        places
    }

    /// Adds the place of a scope.
    pub(crate) fn add(&mut self, scope: &Scope) {
        self.insert(&scope.account_id, &scope.region, &scope.service);
    }

    fn insert(&mut self, account: &str, region: &str, service: &str) {
        let area = self.number(region, service);
        match self.accounts.get_mut(account) {
            Some(areas) => areas.insert(area),
            None => self.accounts.entry(account.to_owned()).or_default().insert(area),
        };
    }

    fn number(&mut self, region: &str, service: &str) -> u32 {
        if let Some(known) = self.numbers.get(region).and_then(|services| services.get(service)) {
            return *known;
        }
        let number = u32::try_from(self.areas.len()).unwrap_or(u32::MAX);
        self.areas.push(LostArea { region: region.to_owned(), service: service.to_owned() });
        self.numbers.entry(region.to_owned()).or_default().insert(service.to_owned(), number);
        number
    }

    /// Returns a message of at most `room` bytes that names all these places, and others if they do not fit. It needs
    /// two bytes. `None` if there are no places.
    pub(crate) fn message(&self, room: usize) -> Option<events::LostPlaces> {
        if self.accounts.is_empty() && !self.everything {
            return None;
        }
        let everything = events::LostPlaces { everything: true, ..events::LostPlaces::default() };
        let mut ways = [Self::exact, Self::of_all_accounts].iter().filter(|_| !self.everything).map(|way| way(self));
        ways.find(|message| message.encoded_len() <= room).or(Some(everything))
    }

    /// Returns the exact message. Accounts with the same areas share a group.
    fn exact(&self) -> events::LostPlaces {
        let mut groups = BTreeMap::<(bool, &BTreeSet<u32>), Vec<String>>::new();
        for (account, areas) in &self.accounts {
            let of_all = account.is_empty();
            groups.entry((of_all, areas)).or_default().extend((!of_all).then(|| account.clone()));
        }
        let group = |((_, areas), accounts): ((bool, &BTreeSet<u32>), _)| LostGroup {
            accounts,
            areas: areas.iter().copied().collect(),
        };
        let groups = groups.into_iter().map(group).collect();
        events::LostPlaces { areas: self.areas.clone(), groups, everything: false }
    }

    fn of_all_accounts(&self) -> events::LostPlaces {
        let areas = (0..).zip(&self.areas).map(|(number, _)| number).collect();
        let groups = vec![LostGroup { accounts: Vec::new(), areas }];
        events::LostPlaces { areas: self.areas.clone(), groups, everything: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(accounts: usize, areas: usize) -> LostPlaces {
        let mut places = LostPlaces::default();
        for account in 0..accounts {
            // Each account has its own areas.
            for area in (0..areas).filter(|area| *area == 0 || (account >> (area % 20)) & 1 == 0) {
                places.insert(&format!("{account:012}"), &format!("us-isob-northeast-{area}"), "organizations");
            }
        }
        places
    }

    #[test]
    fn a_message_names_every_place_or_too_many() {
        for (accounts, areas, room, named) in [
            (0, 0, 100, "nothing"),
            (1_000, 17, 1_000_000, "places"),
            (10_000, 60, 12 << 10, "areas"),
            (100, 2_000, 12 << 10, "everything"),
            (1, 1, 0, "everything"),
        ] {
            let places = places(accounts, areas);
            let message = places.message(room);
            let how = match &message {
                None => "nothing",
                Some(message) if message.everything => "everything",
                Some(message) if message.groups[0].accounts.is_empty() => "areas",
                Some(_) => "places",
            };
            assert_eq!(how, named, "{accounts} {areas} {room}");
            let Some(message) = message else { continue };
            assert!(message.encoded_len() <= room.max(2), "{}", message.encoded_len());
            let again = LostPlaces::of(&message);
            assert!(again.everything || again.areas == places.areas);
            assert!(how != "places" || again.accounts == places.accounts);
        }
    }

    #[test]
    fn accounts_with_the_same_areas_share_a_group_unless_one_area_is_of_all_accounts() {
        let mut places = LostPlaces::default();
        for account in ["1", "2", "3"] {
            places.insert(account, "r1", "ec2");
        }
        places.insert("3", "r2", "ec2");
        let message = places.message(1_000).expect("it names places");
        let groups: Vec<_> =
            message.groups.iter().map(|group| (group.accounts.join(" "), group.areas.clone())).collect();
        assert_eq!(groups, [("1 2".to_owned(), vec![0]), ("3".to_owned(), vec![0, 1])]);
        assert_eq!(LostPlaces::of(&places.of_all_accounts()).exact(), places.of_all_accounts());
    }
}
