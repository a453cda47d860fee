//! What must survive a restart, said in facts. State is changed by applying facts and in no other way, so folding
//! the facts of a journal gives the state that its writer had, without deciding anything again.

use flashpod_orders::order::NewOrder;
use flashpod_orders::{Deal, Update};
use flashpod_risk::Watch;
use flashpod_types::{Amount, Asset, ClientOrderId, Nanos, OrderId, Side, Symbol};
use serde::{Deserialize, Serialize};

use crate::io::{InstanceName, OrderEvent};
use crate::paper::Money;
use crate::status::StopProof;

// What an order needs on its way lies inline: it is written down without allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// An epoch that was granted, or seen in a client order id at the venue.
    Epoch {
        epoch: u64,
    },
    /// A listen key that was made: a later run deletes it. It opens the private stream for an hour at most.
    ListenKey {
        key: String,
    },
    /// The assets of a pair.
    Pair {
        symbol: Symbol,
        base: Asset,
        quote: Asset,
    },
    /// The balances this ledger starts from.
    LedgerStarted {
        balances: Vec<(Asset, Amount)>,
    },
    /// An instance goes on from a checkpoint that another core wrote, `Checkpoint` as text.
    Restored {
        instance: InstanceName,
        checkpoint: String,
        at: Nanos,
        at_unix: Nanos,
    },
    /// What happened since the checkpoints is known.
    TakenOver,
    /// Capital given to an instance: real money from `unassigned`, paper money from nowhere.
    Allocated {
        money: Money,
        instance: InstanceName,
        uid: String,
        capital: Vec<(Asset, Amount)>,
    },
    /// A stop is proven: everything the instance owned is `unassigned` again, or gone if it was paper.
    Released {
        instance: InstanceName,
        proof: Box<StopProof>,
    },
    /// The instance may be forgotten: nobody wants it any more and its stop is proven.
    Forgotten {
        instance: InstanceName,
    },
    /// Somebody accepted what the venue's balances have more (or, negative, less) than the ledger: it is unassigned.
    /// Without amounts: what was asked for found nothing to accept, and accepts nothing later.
    DifferenceAdopted {
        request: String,
        at: Nanos,
        amounts: Vec<(Asset, Amount)>,
    },
    /// A deposit, withdrawal or the like that the venue announced.
    Transfer {
        asset: Asset,
        amount: Amount,
    },
    /// Written down before its bytes leave.
    Placed(NewOrder),
    Order {
        client_id: ClientOrderId,
        update: Update,
    },
    /// A deal of an order without our tag.
    ForeignDeal {
        symbol: Symbol,
        order_id: OrderId,
        side: Side,
        deal: Box<Deal>,
    },
    /// An order event of an instance, numbered.
    Event {
        instance: InstanceName,
        event: Box<OrderEvent>,
    },
    HaltBlocked {
        uid: String,
        at_unix: Nanos,
    },
    HaltCancelsSent {
        uid: String,
        at_unix: Nanos,
    },
    HaltLifted {
        uid: String,
    },
    /// Profit moved something that loss limits remember. The owner is a strategy by its name, or the account (empty).
    Watched {
        owner: String,
        uid: String,
        quote: Asset,
        watch: Watch,
    },
    /// Somebody asked for a new beginning: nothing stops the owner any more, and losses count from here.
    RiskReset {
        owner: String,
        uid: String,
        reset: String,
        at: Nanos,
        watches: Vec<(Asset, Watch)>,
    },
}
