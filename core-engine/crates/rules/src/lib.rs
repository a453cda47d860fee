//! Rules by which the core itself quotes: on each change of a book, a few integer operations say what is wanted.
//!
//! - [`rule`]: what a rule sees and wants; [`Rule`]: all rules there are, by name
//! - [`parameters`]: their parameters, read from texts
//! - [`touch`]: quotes at the touch, skewed by book imbalance and inventory

pub mod parameters;
pub mod rule;
pub mod touch;

pub use parameters::{Parameter, Refusal};
pub use rule::{Decide, Quote, Quotes, Rule, Seen};
pub use touch::Touch;
