//! What can go wrong.

use flashpod_types::Nanos;

/// Which WebSockets: those with a listen key, or those without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Public,
    Private,
}

/// How something is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Random bytes.
    Garbage,
    /// It ends in the middle.
    Truncated,
    /// Well-formed, but of another channel or another endpoint.
    Other,
}

/// Which way of a REST request is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    Request,
    Reply,
}

/// Where a fault may strike; what is left out matches all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One frame on one WebSocket.
    Push { stream: Option<Stream>, channel: Option<String>, symbol: Option<String> },
    /// One request below `/api`.
    Request { method: Option<String>, path: Option<String> },
    /// One fill of an own order.
    Fill,
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The fill is never told: no private push, not in myTrades. Balances and orders have it.
    HideDeal,
    /// The frame is lost for all its readers.
    DropPush,
    /// The socket that has got so many pushes is closed, once.
    Disconnect {
        after_pushes: u64,
    },
    /// The request gets this status, with or without having its effect.
    Status {
        name: &'static str,
        status: u16,
        apply: bool,
        delay: Nanos,
        retry_after: Option<u64>,
    },
    Delay {
        by: Nanos,
        leg: Leg,
    },
    /// The frame is lost, or the request is never answered.
    Loss {
        apply: bool,
    },
    /// The connection is reset.
    Reset {
        apply: bool,
    },
    /// Nothing comes any more for a while, on connections that stay open. Without a length: as long as the window.
    Silence {
        lasts: Option<Nanos>,
        apply: bool,
    },
    Reorder,
    Duplicate,
    /// So many depth frames in a row are lost.
    Gap {
        pushes: u64,
    },
    Malformed(Shape),
    /// The versions of one depth frame are so much too high.
    Jump {
        by: u64,
    },
    /// One depth frame has a bid far above every ask.
    Crossed,
}

impl Kind {
    /// Its name in files and in the audit's counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HideDeal => "hideDeal",
            Self::DropPush => "dropPush",
            Self::Disconnect { .. } => "disconnect",
            Self::Status { name, .. } => name,
            Self::Delay { .. } => "delay",
            Self::Loss { .. } => "loss",
            Self::Reset { .. } => "reset",
            Self::Silence { .. } => "silence",
            Self::Reorder => "reorder",
            Self::Duplicate => "duplicate",
            Self::Gap { .. } => "gap",
            Self::Malformed(_) => "malformed",
            Self::Jump { .. } => "jump",
            Self::Crossed => "crossed",
        }
    }
}

/// One entry of the file.
#[derive(Debug, Clone)]
pub struct Fault {
    pub kind: Kind,
    pub place: Place,
    pub when: super::When,
}
