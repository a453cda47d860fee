//! What a strategy is to a pass.

use flashpod_book::Book;
use flashpod_types::Nanos;

use crate::account::Account;
use crate::desk::{Desk, Report};

/// What a strategy sees.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub now: Nanos,
    /// To be relied upon while `certified`.
    pub book: &'a Book,
    pub certified: bool,
    /// As far as reports have arrived.
    pub account: &'a Account,
}

/// Decides; each of its methods may do nothing.
pub trait Strategy {
    /// Each time that the period of the pass has elapsed, by the clock of the recorder.
    fn on_timer(&mut self, view: View<'_>, desk: &mut Desk) {
        let _ = (view, desk);
    }

    /// After each update and trade of the market.
    #[inline]
    fn on_market(&mut self, view: View<'_>, desk: &mut Desk) {
        let _ = (view, desk);
    }

    /// Each time that the exchange's report of an own order has arrived.
    fn on_report(&mut self, report: &Report, view: View<'_>, desk: &mut Desk) {
        let _ = (report, view, desk);
    }
}
