//! Self-trade prevention (API reference §6.7): groups of accounts whose orders do not match, if the arriving one
//! names a mode. Without a group there is no protection.

use std::collections::BTreeSet;

use flashpod_matching::OnMeeting;

use super::state::Exchange;
use crate::rest::{ApiError, refuse};

/// One strategy group of an account.
#[derive(Debug, Clone)]
pub struct StpGroup {
    pub id: u64,
    pub name: String,
    /// The account that made it; only it sees and changes the group.
    pub owner: usize,
    pub members: BTreeSet<usize>,
}

const GROUPS_PER_ACCOUNT: usize = 10;

/// The mode of a request; any letter case, as documentation and announcement differ.
#[must_use]
pub fn mode_of(text: &str) -> Option<OnMeeting> {
    match text.to_ascii_lowercase().as_str() {
        "cancel_taker" => Some(OnMeeting::CancelTaker),
        "cancel_maker" => Some(OnMeeting::CancelMaker),
        "cancel_both" => Some(OnMeeting::CancelBoth),
        _ => None,
    }
}

impl Exchange {
    /// Accounts whose orders one of `account` must not meet; none without protection.
    pub(super) fn partners(&self, account: usize) -> BTreeSet<usize> {
        let mut partners = BTreeSet::new();
        if !self.settings.stp_needs_group {
            partners.insert(account);
        }
        for group in &self.stp_groups {
            if group.owner == account || group.members.contains(&account) {
                partners.insert(account);
                partners.insert(group.owner);
                partners.extend(&group.members);
            }
        }
        partners
    }

    pub(crate) fn create_stp_group(&mut self, owner: usize, name: &str) -> Result<u64, ApiError> {
        let own = self.stp_groups.iter().filter(|group| group.owner == owner);
        if own.clone().any(|group| group.name == name) {
            return Err(ApiError::wrong("tradeGroupName is in use"));
        }
        if own.count() >= GROUPS_PER_ACCOUNT {
            return refuse(26, "operation not allowed: there are 10 groups already");
        }
        let id = self.stp_groups.iter().map(|group| group.id).max().unwrap_or(0) + 1;
        let members = BTreeSet::new();
        self.stp_groups.push(StpGroup { id, name: name.to_owned(), owner, members });
        Ok(id)
    }

    fn own_group(&self, owner: usize, id: i64) -> Result<usize, ApiError> {
        let found = |group: &StpGroup| group.owner == owner && i64::try_from(group.id) == Ok(id);
        match self.stp_groups.iter().position(found) {
            Some(at) => Ok(at),
            None => refuse(22_222, "record does not exist"),
        }
    }

    pub(crate) fn delete_stp_group(&mut self, owner: usize, id: i64) -> Result<(), ApiError> {
        let at = self.own_group(owner, id)?;
        self.stp_groups.remove(at);
        Ok(())
    }

    /// Lets accounts into a group of `owner`, or takes them out.
    pub(crate) fn change_stp_group(
        &mut self,
        owner: usize,
        id: i64,
        accounts: &[usize],
        joins: bool,
    ) -> Result<(), ApiError> {
        let at = self.own_group(owner, id)?;
        for account in accounts {
            if joins {
                self.stp_groups[at].members.insert(*account);
            } else {
                self.stp_groups[at].members.remove(account);
            }
        }
        Ok(())
    }
}
