//! The states of an order and the one table that moves between them.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum State {
    /// Handed to the network, no answer yet.
    PendingNew,
    Open,
    PartiallyFilled,
    /// A cancel is on its way; it may still fill.
    PendingCancel,
    /// Nobody can say whether the venue has it. Counts as exposure.
    Unknown,
    Filled,
    Cancelled,
    /// Partly filled, the rest cancelled.
    PartiallyCancelled,
    /// Never came to life: refused, not sent, or proven absent.
    Rejected,
}

impl State {
    pub const ALL: [Self; 9] = [
        Self::PendingNew,
        Self::Open,
        Self::PartiallyFilled,
        Self::PendingCancel,
        Self::Unknown,
        Self::Filled,
        Self::Cancelled,
        Self::PartiallyCancelled,
        Self::Rejected,
    ];

    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::PartiallyCancelled | Self::Rejected)
    }

    /// Rests at the venue as far as we know.
    #[must_use]
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Open | Self::PartiallyFilled | Self::PendingCancel)
    }
}

/// What was learnt about an order, from whatever source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The venue has it, untouched.
    Accepted,
    /// Part of it traded.
    Traded,
    /// All of it traded.
    Completed,
    /// Ended at the venue without a trade.
    Ended,
    /// Ended at the venue after a part traded.
    EndedTraded,
    /// The venue refused it, or it never left.
    Refused,
    /// No answer: time-out, broken connection, 5xx.
    Lost,
    /// Two queries said "does not exist" after it could no longer be accepted.
    Absent,
    CancelSent,
    /// The cancel came back refused or unanswered.
    CancelFailed,
}

impl Evidence {
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Traded,
        Self::Completed,
        Self::Ended,
        Self::EndedTraded,
        Self::Refused,
        Self::Lost,
        Self::Absent,
        Self::CancelSent,
        Self::CancelFailed,
    ];
}

/// The table. `traded`: whether any part of the order is known to have traded.
///
/// Signs of life always win over their absence, ends over life, and more filled over less; so the result does not
/// depend on the order in which evidence arrives.
#[must_use]
pub const fn next(state: State, evidence: Evidence, traded: bool) -> State {
    use Evidence as E;
    use State as S;
    match (state, evidence) {
        // Ends. A later, fuller end replaces an emptier one.
        (_, E::Completed) | (S::Filled, _) => S::Filled,
        (_, E::EndedTraded) | (S::PartiallyCancelled, _) | (S::Cancelled, E::Traded) => S::PartiallyCancelled,
        (_, E::Ended) => {
            if traded {
                S::PartiallyCancelled
            } else {
                S::Cancelled
            }
        }
        (S::Cancelled, _) => S::Cancelled,
        // Signs of life, also of what was given up.
        (S::PendingCancel, E::Accepted | E::Traded) => S::PendingCancel,
        (S::PartiallyFilled, E::Accepted) | (_, E::Traded) => S::PartiallyFilled,
        (_, E::Accepted) => S::Open,
        // Proof against life counts only while there was no sign of it.
        (S::PendingNew | S::Unknown | S::Rejected, E::Refused | E::Absent) => S::Rejected,
        (S::PendingNew | S::Unknown, E::Lost) => S::Unknown,
        (_, E::Refused | E::Absent | E::Lost) => state,
        // Cancels.
        (S::Open | S::PartiallyFilled | S::PendingCancel, E::CancelSent) => S::PendingCancel,
        (S::PendingCancel, E::CancelFailed) => {
            if traded {
                S::PartiallyFilled
            } else {
                S::Open
            }
        }
        (_, E::CancelSent | E::CancelFailed) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_final_except_for_fuller_ends() {
        for evidence in Evidence::ALL {
            assert_eq!(next(State::Filled, evidence, true), State::Filled);
            let after = next(State::PartiallyCancelled, evidence, true);
            assert!(matches!(after, State::PartiallyCancelled | State::Filled), "{evidence:?}");
            let after = next(State::Cancelled, evidence, false);
            assert!(after.is_terminal() && after != State::Rejected, "{evidence:?}");
        }
    }

    #[test]
    fn no_answer_never_kills_an_order() {
        for state in State::ALL {
            assert_eq!(next(state, Evidence::Lost, false).is_terminal(), state.is_terminal());
        }
    }

    #[test]
    fn what_lives_is_not_declared_absent() {
        for state in [State::Open, State::PartiallyFilled, State::PendingCancel] {
            assert_eq!(next(state, Evidence::Absent, false), state);
            assert_eq!(next(state, Evidence::Refused, false), state);
        }
        assert_eq!(next(State::Unknown, Evidence::Absent, false), State::Rejected);
        assert_eq!(next(State::Rejected, Evidence::Accepted, false), State::Open);
    }

    #[test]
    fn the_whole_table_is_as_written_down() {
        // One row a state, one column an evidence (order of Evidence::ALL), untouched orders.
        let letter = |state: State| match state {
            State::PendingNew => 'n',
            State::Open => 'o',
            State::PartiallyFilled => 'p',
            State::PendingCancel => 'c',
            State::Unknown => 'u',
            State::Filled => 'F',
            State::Cancelled => 'C',
            State::PartiallyCancelled => 'P',
            State::Rejected => 'R',
        };
        let table: Vec<String> = State::ALL
            .iter()
            .map(|&state| {
                Evidence::ALL.iter().map(|&evidence| letter(next(state, evidence, false))).collect()
            })
            .collect();
        assert_eq!(
            table,
            [
                "opFCPRuRnn",
                "opFCPoooco",
                "ppFCPpppcp",
                "ccFCPcccco",
                "opFCPRuRuu",
                "FFFFFFFFFF",
                "CPFCPCCCCC",
                "PPFPPPPPPP",
                "opFCPRRRRR",
            ]
        );
    }
}
