//! A market made order by order: an anonymous crowd whose limit, market and cancel orders arrive in clusters
//! round a hidden fair price. Deterministic by seed; own orders share the book with the crowd.

mod dice;
mod flow;
mod profile;

pub use flow::{Arrival, Flow};
pub use profile::Profile;

#[cfg(test)]
mod tests;
