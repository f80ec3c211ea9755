//! Decides whether a principal may assume a role.
//!
//! Every `AssumeRole` must be allowed by the role's trust policy (IAM user guide, "Policy evaluation logic"; STS API
//! reference, `AssumeRole`). A principal of the role's own account needs no other policy if the trust policy names it.
//! If the trust policy names its account, or it belongs to another account, it needs its own policy. A permissions
//! boundary limits a named role, but not a named session of it. AWS's pages disagree on named users: by "Policy
//! evaluation logic" the boundary does not limit them, by "Update a role trust policy" it does.

use super::{
    ByName, Caller, Clause, Condition, Conditions, Covers, Effect, Grant, Holder, Open, Permissions, Request, Resource,
    Variables,
    principals::{Named, Principals},
    question::Question,
    reach::Reach,
    statement::{holds, lower},
};
use serde_json::Value;

/// The action in lower case.
const ASSUME_ROLE: &str = "sts:assumerole";

/// Statements of a role's trust policy about assuming the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    /// `None` if the graph does not have the policy.
    statements: Option<Vec<Statement>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    whom: Principals,
    condition: Option<Condition>,
}

impl TrustPolicy {
    /// Parses the text that the collector writes on roles: a JSON list of statements. If it is missing or cannot be
    /// parsed, nothing is certain.
    pub fn new(text: Option<&str>) -> Self {
        let json = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let statements = json.as_ref().and_then(Value::as_array);
        let read = statements.map(|all| all.iter().filter_map(|it| Statement::new(it).transpose()).collect());
        Self { statements: read.and_then(|read: Result<_, Unknown>| read.ok()) }
    }

    /// Evaluates a request to assume the role. Callers other than users and roles get no permission.
    fn says(&self, request: Request<'_>, is_bounded: bool) -> Says {
        let Some(caller) = request.caller.filter(|caller| caller.makes_requests()) else { return Says::default() };
        let Some(statements) = &self.statements else { return Says::UNREAD };
        let mut says = Says::default();
        for statement in statements {
            let holds = holds(statement.condition.as_ref(), request);
            let named = statement.named(caller, is_bounded);
            match statement.effect {
                Effect::Deny => says.denied = says.denied.max(named.any().min(holds)),
                Effect::Allow if self.is_outweighed(statement, request, is_bounded) => {}
                Effect::Allow => {
                    says.by_name = says.by_name.max(named.name.min(holds));
                    says.by_session = says.by_session.max(named.session.min(holds));
                    says.by_account = says.by_account.max(named.account.min(holds));
                }
            }
        }
        says
    }

    /// Whether a Deny statement applies whenever this Allow statement does.
    fn is_outweighed(&self, allow: &Statement, request: Request<'_>, is_bounded: bool) -> bool {
        let denies = self.statements.iter().flatten().filter(|it| it.effect == Effect::Deny);
        let outweighs = |deny: &Statement| {
            let follows = |it: &Condition| it.follows(allow.condition.as_ref(), request);
            let is_about = |caller| deny.named(caller, is_bounded).any() == Covers::Yes;
            request.caller.is_some_and(is_about) && deny.condition.as_ref().is_none_or(follows)
        };
        denies.into_iter().any(outweighs)
    }

    /// Conditions of the undecided statements with this effect that name the caller in this way.
    fn open(&self, request: Request<'_>, effect: Effect, is_bounded: bool, way: fn(Named) -> Covers) -> Vec<String> {
        let Some(caller) = request.caller else { return Vec::new() };
        let is_open = |it: &&Statement| {
            let named = way(it.named(caller, is_bounded));
            let is_without_effect = effect == Effect::Allow && self.is_outweighed(it, request, is_bounded);
            it.effect == effect
                && named.min(holds(it.condition.as_ref(), request)) == Covers::Maybe
                && !is_without_effect
        };
        let statements = self.statements.iter().flatten().filter(is_open);
        statements.map(|it| it.open(request, caller, way(it.named(caller, is_bounded)))).collect()
    }
}

/// A statement has an unknown kind of element.
struct Unknown;

impl Statement {
    /// Returns `None` if the statement is not about assuming the role, or has an unknown effect.
    fn new(json: &Value) -> Result<Option<Self>, Unknown> {
        let effect = match json["effect"].as_str() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Ok(None),
        };
        let actions = Clause::new(lower(texts(&json["action"])?), lower(texts(&json["notaction"])?));
        if !actions.selects_text(ASSUME_ROLE) {
            return Ok(None);
        }
        let variables =
            if json["version"].as_str() == Some("2008-10-17") { Variables::Literal } else { Variables::Resolved };
        let condition = json["condition"].as_str().and_then(|text| Condition::new(text.to_owned(), variables));
        let whom = Principals::new(&json["principal"], &json["notprincipal"]).ok_or(Unknown)?;
        Ok(Some(Self { effect, whom, condition }))
    }

    /// Ways in which it names this caller.
    fn named(&self, caller: &Caller, is_bounded: bool) -> Named {
        self.whom.named(caller, self.effect, is_bounded)
    }

    /// Undecided parts, as a list of operator maps in JSON text: its condition, and its principals if they are
    /// undecided.
    fn open(&self, request: Request<'_>, caller: &Caller, named: Covers) -> String {
        let condition = self.condition.as_ref().filter(|condition| condition.holds(request).is_none());
        let principals = (named == Covers::Maybe).then(|| self.whom.open(caller).to_string());
        Conditions::join(condition.map(Condition::text).into_iter().chain(principals.as_deref())).text
    }
}

/// Reads a list of texts; null is `None`.
fn texts(json: &Value) -> Result<Option<Vec<String>>, Unknown> {
    match json {
        Value::Null => Ok(None),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Some).ok_or(Unknown)
        }
        _ => Err(Unknown),
    }
}

/// Result of a trust policy for one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Says {
    /// Allowed for the caller by name, or for everyone.
    by_name: Covers,
    /// Allowed for sessions of the caller, a role, by name.
    by_session: Covers,
    /// Allowed for the caller's account as a whole.
    by_account: Covers,
    denied: Covers,
}

impl Default for Says {
    fn default() -> Self {
        Self { by_name: Covers::No, by_session: Covers::No, by_account: Covers::No, denied: Covers::No }
    }
}

impl Says {
    const UNREAD: Self =
        Self { by_name: Covers::Maybe, by_session: Covers::No, by_account: Covers::Maybe, denied: Covers::Maybe };
}

/// Ways to assume a role.
struct Ways {
    /// The principal's policies allow it, and the trust policy does in any way.
    policies: Reach,
    /// The trust policy of a role in the principal's account names the principal.
    name: Reach,
}

impl Holder<'_> {
    /// Decides whether the principal may assume a role with this trust policy. `asked` is the action.
    pub fn assume(&self, asked: Permissions, role: &str, trust: &TrustPolicy) -> Option<Grant> {
        let question = Question::new(self, asked, Resource::from(role));
        let says = trust.says(question.request, self.is_bounded());
        let ways = self.ways(&question, asked, says);
        let granted = (ways.policies | ways.name) & !question.denied() & !Reach::all(says.denied);
        if (granted.possible & asked).is_empty() {
            return None;
        }
        let open = (granted.certain & asked).is_empty().then(|| self.open(&question, asked, trust, &ways));
        Some(Grant { conditions: open.as_ref().map(Open::conditions), open })
    }

    fn ways(&self, question: &Question<'_, '_>, asked: Permissions, says: Says) -> Ways {
        let (own, bounded) = (question.allowed(self.statements()), question.bounded());
        let any = says.by_account.max(says.by_name).max(says.by_session);
        let is_local = self.is_local(question);
        let policies = own & bounded & Reach::all(if is_local { says.by_account } else { any });
        let limit = if self.is_user() { bounded | Reach::all(Covers::Maybe) } else { bounded };
        let name = (Reach::of(asked, says.by_name) & limit) | Reach::of(asked, says.by_session);
        Ways { policies, name: if is_local { name } else { Reach::default() } }
    }

    /// Undecided conditions, if nothing is certain.
    fn open(&self, question: &Question<'_, '_>, asked: Permissions, trust: &TrustPolicy, ways: &Ways) -> Open {
        let (request, is_bounded) = (question.request, self.is_bounded());
        let allows = |way| trust.open(request, Effect::Allow, is_bounded, way);
        let says = trust.says(request, is_bounded);
        let mut open = question.open(asked);
        open.deny.extend(trust.open(request, Effect::Deny, is_bounded, Named::any));
        if trust.statements.is_none() {
            open.unread.push("trust policy");
        }
        let named = ByName {
            // A boundary limits a principal that the trust policy names, but not a session that it names.
            trust: if says.by_name == Covers::Yes {
                allows(|named| named.session)
            } else {
                allows(Named::by_name_or_session)
            },
            boundary: if says.by_name == Covers::No { Vec::new() } else { open.boundary.clone() },
        };
        open.is_boundary_disputed = self.boundary.is_some()
            && self.is_user()
            && says.by_name != Covers::No
            && !(ways.name.possible & asked).is_empty()
            && (question.bounded().certain & asked).is_empty();
        let is_possible = |way: Reach| !(way.possible & asked).is_empty();
        let is_certain = |way: Reach| !(way.certain & asked).is_empty();
        if is_certain(ways.name) || !is_possible(ways.policies) {
            return Open { allow: Vec::new(), boundary: named.boundary, trust: named.trust, ..open };
        }
        let (way, is_trusted): (fn(Named) -> Covers, _) = if self.is_local(question) {
            (|named| named.account, says.by_account == Covers::Yes)
        } else {
            (Named::any, says.by_account.max(says.by_name) == Covers::Yes)
        };
        open.trust = if is_trusted { Vec::new() } else { allows(way) };
        open.or = (is_possible(ways.name) && !is_certain(ways.policies)).then_some(named);
        open
    }

    fn is_local(&self, question: &Question<'_, '_>) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.is_of_account_of(question.request.resource.arn))
    }

    fn is_user(&self) -> bool {
        self.caller.as_ref().is_some_and(Caller::is_user)
    }

    /// Whether it has a permissions boundary.
    fn is_bounded(&self) -> bool {
        self.boundary.is_some() || self.is_boundary_unread
    }
}
