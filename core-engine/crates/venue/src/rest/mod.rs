//! REST: the table of endpoints, what a request must pass, and the replies.

mod account;
mod admit;
mod desk;
mod error;
mod limits;
mod market;
mod orders;
mod params;
mod routes;

pub use admit::{Admitted, arrive, execute, handle};
pub use error::{ApiError, refuse};
pub use limits::{Bucket, Charge, Limits};
pub use params::Params;
pub use routes::{Call, ROUTES, Route, table};
