//! Listen keys: at most 60 an account, each valid for an hour from its last keep-alive.

use flashpod_types::Nanos;
use rand::RngExt;

use super::state::Exchange;
use crate::rest::{ApiError, refuse};

const KEYS_PER_ACCOUNT: usize = 60;

impl Exchange {
    fn listen_key_end(&self) -> Nanos {
        self.now + Nanos::from_millis(self.settings.listen_key_ms)
    }

    pub(super) fn account_of_listen_key(&self, key: &str) -> Option<usize> {
        self.accounts.iter().position(|a| a.listen_keys.get(key).is_some_and(|end| *end > self.now))
    }

    pub(crate) fn create_listen_key(&mut self, account: usize) -> Result<String, ApiError> {
        self.expire_listen_keys();
        let end = self.listen_key_end();
        let keys = &mut self.accounts[account].listen_keys;
        if self.settings.listen_key_reuse
            && let Some((key, until)) = keys.iter_mut().next()
        {
            *until = end;
            return Ok(key.clone());
        }
        if keys.len() >= KEYS_PER_ACCOUNT {
            return refuse(26, "operation not allowed: there are 60 listen keys already");
        }
        let mut bytes = [0_u8; 32];
        self.rng.fill(&mut bytes);
        let key = hex::encode(bytes);
        keys.insert(key.clone(), end);
        Ok(key)
    }

    pub(crate) fn extend_listen_key(&mut self, account: usize, key: &str) -> Result<(), ApiError> {
        let end = self.listen_key_end();
        match self.accounts[account].listen_keys.get_mut(key) {
            Some(until) => {
                *until = end;
                Ok(())
            }
            None => refuse(22_222, "record does not exist"),
        }
    }

    /// Deletes a key and closes its sockets.
    pub(crate) fn delete_listen_key(&mut self, account: usize, key: &str) -> Result<(), ApiError> {
        if self.accounts[account].listen_keys.remove(key).is_none() {
            return refuse(22_222, "record does not exist");
        }
        self.close_listeners(key);
        Ok(())
    }

    fn close_listeners(&mut self, key: &str) {
        let ids: Vec<_> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.listen_key.as_deref() == Some(key))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.end(id, "its listen key is not valid any more");
        }
    }

    pub(super) fn expire_listen_keys(&mut self) {
        let now = self.now;
        let mut expired = Vec::new();
        for account in &mut self.accounts {
            account.listen_keys.retain(|key, end| {
                let valid = *end > now;
                if !valid {
                    expired.push(key.clone());
                }
                valid
            });
        }
        for key in expired {
            self.close_listeners(&key);
        }
    }
}
