//! Where an order is on its way through the engine thread, for `flashpod_net::failpoint`.

use flashpod_engine::Input;
use flashpod_engine::io::{Action, FeedEvent, RequestClass, SessionMessage};
use flashpod_journal::JournalError;
use flashpod_net::failpoint::{Place, disk_is_full, reach};

/// Popped; nothing is in the journal yet.
pub(crate) fn popped(input: &Input) {
    match input {
        Input::Session { message: SessionMessage::Intent(_) | SessionMessage::WantedQuotes(_), .. } => {
            reach(Place::IntentReceived);
        }
        Input::Feed { event: FeedEvent::Binary(frame), .. } => deal(frame),
        _ => {}
    }
}

/// Decided; the decision is not in the journal yet.
pub(crate) fn decided(actions: &[Action]) {
    if actions.iter().any(sends_order) {
        reach(Place::RiskPassed);
    }
}

/// In the journal; nothing has left the engine thread yet.
pub(crate) fn journaled(actions: &[Action]) {
    if actions.iter().any(sends_order) {
        reach(Place::Journaled);
    }
}

/// What a full disk answers to the next file of a journal.
pub(crate) fn room() -> Result<(), JournalError> {
    if disk_is_full() {
        let source = std::io::ErrorKind::StorageFull.into();
        return Err(JournalError::Io { path: "journal".into(), action: "preallocate", source });
    }
    Ok(())
}

fn sends_order(action: &Action) -> bool {
    matches!(action, Action::Http(request) if request.class == RequestClass::Order)
}

#[cfg(not(feature = "failpoints"))]
#[inline(always)]
const fn deal(_: &[u8]) {}

#[cfg(feature = "failpoints")]
fn deal(frame: &[u8]) {
    const CHANNEL: &[u8] = b"private.deals";
    if frame.windows(CHANNEL.len()).any(|part| part == CHANNEL) {
        reach(Place::DealReceived);
    }
}
