//! The key of the private stream: made, kept alive, replaced, and cleaned up after. The venue has room for 60 of an
//! account, and each lives for an hour.

use crate::engine::Engine;
use crate::fact::Fact;
use crate::requests::Purpose;
use flashpod_types::Nanos;

/// Keys of one account (API reference §8).
const MOST_KEYS: usize = 60;

impl Engine {
    /// Keeps the listen key alive. When to look again.
    pub(crate) fn poll_listen_key(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        let Some(key) = self.startup.listen_key.clone() else {
            // Without trading rules, deals in a pair that is new to us could not be booked: the stream waits for them.
            let may_begin = self.startup.keys_listed && self.startup.rules_loaded;
            if may_begin && now >= self.startup.key_retry {
                self.ask(Purpose::CreateListenKey);
                self.startup.key_retry = now + self.config.tuning.query_timeout;
            }
            return may_begin.then_some(self.startup.key_retry);
        };
        if now >= self.startup.extend_at {
            self.startup.extend_at = now + self.config.tuning.listen_key_period;
            self.ask(Purpose::ExtendListenKey(key));
        }
        Some(self.startup.extend_at)
    }

    /// The keys that the venue has: those of ours that are not in use go.
    pub(crate) fn on_listen_keys(&mut self, keys: &[String]) {
        self.startup.keys_listed = true;
        let in_use = self.startup.listen_key.clone();
        let ours: Vec<String> = keys
            .iter()
            .filter(|key| in_use.as_ref() != Some(key) && self.state.listen_keys.contains(key))
            .cloned()
            .collect();
        // All are somebody else's: one of theirs serves as well, for several may listen with it. It is not ours to
        // delete.
        if in_use.is_none() && ours.is_empty() && keys.len() >= MOST_KEYS {
            self.counters.listen_keys_borrowed += 1;
            self.use_listen_key(keys[keys.len() - 1].clone());
        }
        for key in ours {
            self.ask(Purpose::DeleteListenKey(key));
        }
        self.dirty = true;
    }

    /// A new key.
    pub(crate) fn on_listen_key(&mut self, key: String) {
        self.counters.listen_keys_made += 1;
        self.commit(Fact::ListenKey { key: key.clone() });
        self.use_listen_key(key);
    }

    fn use_listen_key(&mut self, key: String) {
        self.startup.extend_at = self.now.mono + self.config.tuning.listen_key_period;
        let former = self.startup.listen_key.replace(key);
        // The stream of the former lives on until the new one is there.
        if former.is_some() && self.feeds.private.is_up() {
            self.replace_private();
        }
        self.dirty = true;
    }

    /// The key is not used any more.
    pub(crate) fn drop_listen_key(&mut self) {
        if let Some(key) = self.startup.listen_key.take()
            && self.state.listen_keys.contains(&key)
        {
            self.ask(Purpose::DeleteListenKey(key));
        }
        self.dirty = true;
    }
}
