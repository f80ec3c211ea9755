//! Classifies errors: transient or permanent, and the reaction to each.
//!
//! Only errors known to be caused by the statement or its rows are permanent; all others count as an outage. The codes
//! are Neo4j's (<https://neo4j.com/docs/status-codes/5/errors/all-errors/>), each tried on 5.26.12. A value too large
//! for an index has a code that database failures share, so the message decides.

use crate::leftover::leftover;
use neo4rs::{Error, Neo4jClientErrorKind, Neo4jErrorKind, Neo4jSecurityErrorKind};

/// Class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// A deadlock, a lost lock, or a node deleted by a concurrent transaction. Passes soon.
    Conflict,
    /// A constraint violation. Passes soon if a concurrent transaction created a node with the same id; never for
    /// another constraint.
    Race,
    /// No connection, a restart, or a full disk. Passes after a while.
    Outage,
    /// One transaction needs too much memory or time.
    Strain,
    /// Wrong credentials.
    Refusal,
    /// A missing privilege.
    Forbidden,
    /// The answer does not match the columns of the statement.
    Unreadable,
    /// The statement or its rows are invalid.
    Permanent,
}

pub(crate) fn judge(error: &Error) -> Judgement {
    match error {
        // A leftover index makes every repeat of the listing fail.
        Error::Neo4j(_) if leftover(error).is_some() => Judgement::Permanent,
        Error::Neo4j(answer) => judge_answer(answer.kind(), answer.code(), answer.message()),
        // The driver reports every login failure as this, including a database that is still starting.
        Error::AuthenticationError(message) => {
            let words = message.to_lowercase();
            let refused = ["authenti", "unauthorized", "credential", "permission"].iter().any(|w| words.contains(w));
            if refused { Judgement::Refusal } else { Judgement::Outage }
        }
        // Occurs only for a statement or a commit: see `limits`.
        Error::ConnectionTimedOut => Judgement::Strain,
        Error::DeserializationError(_) | Error::ConversionError => Judgement::Unreadable,
        // The driver cannot encode the statement's parameters.
        Error::StringTooLong | Error::MapTooBig | Error::BytesTooBig | Error::ListTooLong => Judgement::Permanent,
        _ => Judgement::Outage,
    }
}

const CONFLICTS: [&str; 5] = [
    "DeadlockDetected",
    "LockClientStopped",
    "EntityNotFound",
    "Transaction.Outdated",
    // Two clients created the same index or constraint, both with `IF NOT EXISTS`; the next attempt finds it.
    "EquivalentSchemaRuleAlreadyExists",
];
const STRAINS: [&str; 6] = [
    "OutOfMemoryError",
    "TransactionMemoryLimit",
    "StackOverFlowError",
    "StackOverflowError",
    "TransactionTimedOut",
    "TransactionTimedOutClientConfiguration",
];

/// Errors of the statement or its rows. Other codes with the same prefix are not: `Statement.AccessMode` is a server that
/// accepts no writes, `Schema.SchemaRuleAccessFailed` a failing database.
const PERMANENT: [&str; 26] = [
    "Statement.ArgumentError",
    "Statement.ArithmeticError",
    "Statement.ConstraintVerificationFailed",
    "Statement.ParameterMissing",
    "Statement.PropertyNotFound",
    "Statement.RuntimeUnsupportedError",
    "Statement.SemanticError",
    "Statement.SyntaxError",
    "Statement.TypeError",
    "Statement.UnsupportedAdministrationCommand",
    "Statement.UnsupportedOperationError",
    "Schema.ConstraintAlreadyExists",
    "Schema.ConstraintCreationFailed",
    "Schema.ConstraintDropFailed",
    "Schema.ConstraintNotFound",
    "Schema.ConstraintWithNameAlreadyExists",
    "Schema.ForbiddenOnConstraintIndex",
    "Schema.IndexAlreadyExists",
    "Schema.IndexCreationFailed",
    "Schema.IndexDropFailed",
    "Schema.IndexWithNameAlreadyExists",
    "Schema.RepeatedLabelInSchema",
    "Schema.RepeatedPropertyInCompositeSchema",
    "Schema.RepeatedRelationshipTypeInSchema",
    "Schema.TokenLengthError",
    "Schema.TokenNameError",
];

fn judge_answer(kind: Neo4jErrorKind, code: &str, message: &str) -> Judgement {
    use Neo4jClientErrorKind::Security;
    let is = |names: &[&str]| names.iter().any(|name| code.ends_with(name));
    match kind {
        // The driver counts `LockClientStopped` as a client error, and so does Neo4j `EntityNotFound`.
        _ if is(&CONFLICTS) => Judgement::Conflict,
        _ if is(&["ConstraintValidationFailed"]) => Judgement::Race,
        _ if is(&STRAINS) => Judgement::Strain,
        _ if message.contains("too large to index") => Judgement::Permanent,
        Neo4jErrorKind::Client(Security(Neo4jSecurityErrorKind::Forbidden)) => Judgement::Forbidden,
        Neo4jErrorKind::Client(Security(
            Neo4jSecurityErrorKind::AuthorizationExpired | Neo4jSecurityErrorKind::TokenExpired,
        )) => Judgement::Outage,
        Neo4jErrorKind::Client(Security(_)) => Judgement::Refusal,
        _ if is(&PERMANENT) => Judgement::Permanent,
        // Among others `Schema.IndexNotFound`: a listed index was dropped meanwhile.
        _ => Judgement::Outage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, message: &str) -> Judgement {
        judge_answer(Neo4jErrorKind::from(code), code, message)
    }

    #[test]
    fn each_code_has_its_remedy() {
        for (code, judgement) in [
            ("Neo.TransientError.Transaction.DeadlockDetected", Judgement::Conflict),
            ("Neo.TransientError.Transaction.LockClientStopped", Judgement::Conflict),
            ("Neo.ClientError.Statement.EntityNotFound", Judgement::Conflict),
            ("Neo.ClientError.Schema.ConstraintValidationFailed", Judgement::Race),
            ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", Judgement::Strain),
            ("Neo.ClientError.General.TransactionOutOfMemoryError", Judgement::Strain),
            ("Neo.TransientError.General.OutOfMemoryError", Judgement::Strain),
            ("Neo.ClientError.Transaction.TransactionTimedOut", Judgement::Strain),
            ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", Judgement::Strain),
            ("Neo.ClientError.Security.Unauthorized", Judgement::Refusal),
            ("Neo.ClientError.Security.AuthorizationExpired", Judgement::Outage),
            ("Neo.ClientError.Security.Forbidden", Judgement::Forbidden),
            ("Neo.ClientError.Statement.SyntaxError", Judgement::Permanent),
            ("Neo.ClientError.Statement.TypeError", Judgement::Permanent),
            ("Neo.ClientError.Statement.ArithmeticError", Judgement::Permanent),
            ("Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists", Judgement::Conflict),
            ("Neo.ClientError.Statement.ParameterMissing", Judgement::Permanent),
            ("Neo.ClientError.Schema.IndexAlreadyExists", Judgement::Permanent),
            ("Neo.ClientError.Schema.TokenNameError", Judgement::Permanent),
            ("Neo.DatabaseError.Schema.ConstraintCreationFailed", Judgement::Permanent),
        ] {
            assert_eq!(of(code, ""), judgement, "{code}");
        }
    }

    #[test]
    fn a_failing_database_is_never_blamed_on_a_statement() {
        for code in [
            "Neo.DatabaseError.Transaction.TransactionStartFailed",
            "Neo.DatabaseError.Transaction.TransactionCommitFailed",
            "Neo.DatabaseError.Transaction.TransactionLogError",
            "Neo.DatabaseError.General.UnknownError",
            "Neo.DatabaseError.General.StorageDamageDetected",
            "Neo.DatabaseError.Database.UnableToStartDatabase",
            "Neo.DatabaseError.Statement.ExecutionFailed",
            "Neo.TransientError.General.DatabaseUnavailable",
            "Neo.ClientError.Database.DatabaseNotFound",
            "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
            "Neo.ClientError.Cluster.NotALeader",
            "Neo.ClientError.Transaction.TransactionNotFound",
            "Neo.ClientError.Transaction.LockAcquisitionTimeout",
            "Neo.ClientError.Request.Invalid",
            "Neo.ClientError.Schema.IndexNotFound",
            "Neo.ClientError.Statement.AccessMode",
            "Neo.ClientError.Statement.ExternalResourceFailed",
            "Neo.ClientError.Statement.NotSystemDatabaseError",
            "Neo.ClientError.Statement.RemoteExecutionClientError",
            "Neo.DatabaseError.Statement.RemoteExecutionFailed",
            "Neo.DatabaseError.Schema.SchemaRuleAccessFailed",
            "Neo.DatabaseError.Schema.SchemaRuleDuplicateFound",
            "Neo.DatabaseError.Schema.LabelAccessFailed",
            "Neo.DatabaseError.Schema.PropertyKeyAccessFailed",
            "Neo.DatabaseError.Schema.RelationshipTypeAccessFailed",
            "Neo.DatabaseError.Schema.TokenLimitReached",
            "something else",
        ] {
            assert_eq!(of(code, "the database needs to be restarted"), Judgement::Outage, "{code}");
        }
    }

    #[test]
    fn a_value_that_is_too_large_for_an_index_is_the_row_s() {
        let message = "Property value is too large to index, please see index documentation for limitations.";
        assert_eq!(of("Neo.DatabaseError.Statement.ExecutionFailed", message), Judgement::Permanent);
    }

    #[test]
    fn a_login_that_fails_because_the_database_is_starting_is_an_outage() {
        let login = |message: &str| judge(&Error::AuthenticationError(message.to_owned()));
        assert_eq!(login("The client is unauthorized due to authentication failure."), Judgement::Refusal);
        assert_eq!(login("The database is not available"), Judgement::Outage);
    }
}
