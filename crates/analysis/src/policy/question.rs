//! Decides a question: the effect of statements on some actions on one resource.

use super::{Condition, Conditions, Covers, Holder, Open, Permissions, Request, Resource, Statement, reach::Reach};

/// The actions and the resource in question, for one principal.
pub(super) struct Question<'q, 'a> {
    holder: &'q Holder<'a>,
    asked: Permissions,
    pub(super) request: Request<'q>,
    /// All statements that deny any of the actions, including the boundary's.
    denies: Vec<&'a Statement>,
}

impl<'q, 'a> Question<'q, 'a> {
    pub(super) fn new(holder: &'q Holder<'a>, asked: Permissions, resource: Resource<'q>) -> Self {
        let denies = holder.statements().chain(holder.bounding()).filter(|it| it.denies(asked)).collect();
        let request = Request { caller: holder.caller.as_ref(), resource };
        Self { holder, asked, request, denies }
    }

    /// Actions that these statements allow, whatever others deny.
    pub(super) fn allowed(&self, statements: impl Iterator<Item = &'a Statement>) -> Reach {
        let mut reach = Reach::default();
        for statement in statements.filter(|it| it.allows(self.asked)) {
            // Patterns are evaluated only if they can change the result.
            let new = statement.permissions & self.asked & !reach.certain;
            reach = reach | if new.is_empty() { Reach::default() } else { self.allows(statement, new, reach.possible) };
        }
        reach
    }

    /// Actions that the boundary allows, whatever it denies.
    pub(super) fn bounded(&self) -> Reach {
        match self.holder.boundary {
            Some(boundary) => self.allowed(boundary.iter()),
            None => Reach::all(if self.holder.is_boundary_unread { Covers::Maybe } else { Covers::Yes }),
        }
    }

    /// Actions that any statement denies. A policy that could not be parsed may deny everything.
    pub(super) fn denied(&self) -> Reach {
        let unread = if self.holder.is_policy_unread { Covers::Maybe } else { Covers::No };
        self.denies.iter().fold(Reach::all(unread), |reach, statement| {
            let new = statement.permissions & self.asked & !reach.certain;
            reach | if new.is_empty() { Reach::default() } else { Reach::of(new, self.applies(statement)) }
        })
    }

    /// Actions that a statement allows. An undecided statement adds none that are already possible, or that another
    /// statement denies whenever this one applies.
    fn allows(&self, statement: &Statement, actions: Permissions, possible: Permissions) -> Reach {
        match self.applies(statement) {
            Covers::Maybe => {
                let actions = actions & !possible;
                Reach::of(actions & !self.outweighing(statement, actions), Covers::Maybe)
            }
            decided => Reach::of(actions, decided),
        }
    }

    /// Actions that are denied whenever this undecided statement applies.
    fn outweighing(&self, open: &Statement, actions: Permissions) -> Permissions {
        let denies = self.denies.iter().filter(|it| it.denies(actions));
        let outweighing = denies.filter(|it| it.follows(open, self.request));
        outweighing.fold(Permissions::NONE, |denied, it| denied | it.permissions)
    }

    fn applies(&self, statement: &Statement) -> Covers {
        statement.applies(self.request)
    }

    /// Undecided conditions for these actions.
    pub(super) fn open(&self, actions: Permissions) -> Open {
        Open {
            allow: self.open_allows(self.holder.statements(), actions),
            boundary: self.open_allows(self.holder.bounding(), actions),
            deny: self.texts(self.open_denies(actions)),
            unread: self.holder.unread(),
            ..Open::default()
        }
    }

    /// Conditions of the undecided Allow statements; empty if others certainly allow all of the actions.
    pub(super) fn open_allows(
        &self,
        statements: impl Iterator<Item = &'a Statement> + Clone,
        actions: Permissions,
    ) -> Vec<String> {
        let sure = self.allowed(statements.clone()).certain & actions;
        if sure == actions {
            return Vec::new();
        }
        let allows = statements.filter(|it| it.allows(actions));
        self.texts(allows.filter(|it| {
            let reach = self.allows(it, it.permissions & actions, Permissions::NONE);
            reach.certain.is_empty() && !reach.possible.is_empty()
        }))
    }

    fn open_denies(&self, actions: Permissions) -> impl Iterator<Item = &'a Statement> {
        self.denies.iter().copied().filter(move |it| it.denies(actions) && self.applies(it) == Covers::Maybe)
    }

    /// Conditions of these undecided statements.
    fn texts(&self, open: impl Iterator<Item = &'a Statement>) -> Vec<String> {
        open.map(|it| it.open(self.request)).collect()
    }

    /// Conditions of the statements that certainly allow these actions, including the boundary's. `None` if they have
    /// none.
    pub(super) fn conditions(&self, actions: Permissions) -> Option<Conditions> {
        let own = self.needed(self.holder.statements(), actions);
        let bounding = self.needed(self.holder.bounding(), actions);
        let needed: Vec<&str> = [own, bounding].into_iter().flatten().flatten().collect();
        (!needed.is_empty()).then(|| Conditions::join(needed))
    }

    /// Conditions of the statements that certainly allow these actions. `None` if one of them is unconditional.
    fn needed(&self, statements: impl Iterator<Item = &'a Statement>, actions: Permissions) -> Option<Vec<&'a str>> {
        let allowing = statements.filter(|it| it.allows(actions) && self.applies(it) == Covers::Yes);
        allowing.map(|it| it.condition.as_ref().map(Condition::text)).collect()
    }
}
