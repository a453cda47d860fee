//! The agent's part: policies, halts and the lease up, status down.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flashpod_gateway::proto;
use flashpod_gateway::proto::agent_service_client::AgentServiceClient;
use flashpod_gateway::proto::agent_up::Body;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use super::{Core, eventually};

/// Connects gRPC to a unix socket once it is there.
pub async fn channel(path: &Path) -> Channel {
    let what = format!("{path:?} can be connected to");
    eventually(&what, async || {
        let path = path.to_owned();
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
        });
        Endpoint::from_static("http://core").connect_with_connector(connect).await.ok()
    })
    .await
}

#[derive(Default)]
struct Wanted {
    generation: u64,
    instances: BTreeMap<String, proto::InstancePolicy>,
    halts: BTreeMap<String, proto::HaltPolicy>,
    epoch: u64,
    leaseless: bool,
}

/// An agent that keeps its wishes and its epoch over restarts of the core.
pub struct Agent {
    wanted: Arc<Mutex<Wanted>>,
    status: Arc<Mutex<proto::CoreStatus>>,
    up: mpsc::Sender<proto::AgentUp>,
    client: AgentServiceClient<Channel>,
    tasks: Vec<JoinHandle<()>>,
}

impl Agent {
    pub async fn connect(core: &Core) -> Self {
        Self::with(core, Arc::new(Mutex::new(Wanted { generation: 1, ..Wanted::default() }))).await
    }

    /// An agent that holds no lease.
    pub async fn without_lease(core: &Core) -> Self {
        let agent = Self::connect(core).await;
        agent.wanted.lock().unwrap().leaseless = true;
        agent
    }

    /// The same agent, connected to the next process.
    pub async fn reconnect(self, core: &Core) -> Self {
        let wanted = Arc::clone(&self.wanted);
        drop(self);
        let agent = Self::with(core, wanted).await;
        agent.ready().await;
        agent
    }

    async fn with(core: &Core, wanted: Arc<Mutex<Wanted>>) -> Self {
        let mut client = AgentServiceClient::new(channel(&core.socket_dir.join("agent/agent.sock")).await);
        let (up, messages) = mpsc::channel(16);
        let mut down = client.control(ReceiverStream::new(messages)).await.unwrap().into_inner();
        let status = Arc::new(Mutex::new(proto::CoreStatus::default()));
        let listen = tokio::spawn({
            let status = Arc::clone(&status);
            let up = up.clone();
            async move {
                while let Ok(Some(next)) = down.message().await {
                    if next.stopping {
                        let seen = proto::AgentUp { body: Some(Body::StopSeen(proto::StopSeen {})) };
                        let _ = up.try_send(seen);
                    }
                    *status.lock().unwrap() = next;
                }
            }
        });
        let renew = tokio::spawn(renew(up.clone(), Arc::clone(&wanted), Arc::clone(&status)));
        let agent = Self { wanted, status, up, client, tasks: vec![listen, renew] };
        // A core without a journal waits for it: it may hold what another core left.
        agent.send_desired().await;
        agent
    }

    pub fn status(&self) -> proto::CoreStatus {
        self.status.lock().unwrap().clone()
    }

    pub async fn status_where<T>(&self, what: &str, test: impl Fn(&proto::CoreStatus) -> Option<T>) -> T {
        let seen = eventually(what, async || test(&self.status.lock().unwrap()));
        let status = Arc::clone(&self.status);
        let watch = tokio::time::timeout(super::PATIENCE - Duration::from_secs(1), seen);
        match watch.await {
            Ok(value) => value,
            Err(_) => panic!("never: {what}; the last status was {:#?}", status.lock().unwrap()),
        }
    }

    pub async fn instance_where<T>(
        &self,
        name: &str,
        what: &str,
        test: impl Fn(&proto::InstanceStatus) -> Option<T>,
    ) -> T {
        self.status_where(&format!("{name}: {what}"), |status| {
            status.instances.iter().find(|instance| instance.instance == name).and_then(&test)
        })
        .await
    }

    pub async fn ready(&self) {
        self.status_where("the account is reconciled", |status| {
            status.accounts.first().filter(|account| account.ready).map(|_| ())
        })
        .await;
    }

    /// Waits until these instances may open risk.
    pub async fn active(&self, names: &[&str]) {
        for name in names {
            self.instance_where(name, "may trade", |instance| {
                (instance.state() == proto::TradingState::Active).then_some(())
            })
            .await;
        }
    }

    /// Changes what is wanted and waits until the core says that it is in force.
    pub async fn want(&self, change: impl FnOnce(&mut BTreeMap<String, proto::InstancePolicy>)) {
        change(&mut self.wanted.lock().unwrap().instances);
        self.apply().await;
    }

    pub async fn halt(&self, uid: &str, policy: Option<proto::HaltPolicy>) {
        {
            let halts = &mut self.wanted.lock().unwrap().halts;
            match policy {
                Some(policy) => {
                    halts.insert(uid.to_owned(), proto::HaltPolicy { uid: uid.to_owned(), ..policy })
                }
                None => halts.remove(uid),
            };
        }
        self.apply().await;
    }

    async fn apply(&self) {
        self.wanted.lock().unwrap().generation += 1;
        let generation = self.send_desired().await;
        self.status_where("the desired state is in force", |status| {
            (status.generation >= generation).then_some(())
        })
        .await;
    }

    async fn send_desired(&self) -> u64 {
        let desired = {
            let wanted = self.wanted.lock().unwrap();
            proto::DesiredState {
                generation: wanted.generation,
                accounts: vec![proto::AccountPolicy { account: "main".to_owned(), ..Default::default() }],
                instances: wanted.instances.values().cloned().collect(),
                halts: wanted.halts.values().cloned().collect(),
            }
        };
        let generation = desired.generation;
        self.up.send(proto::AgentUp { body: Some(Body::Desired(desired)) }).await.unwrap();
        generation
    }

    pub async fn ledger(&self) -> proto::LedgerReply {
        let request = proto::LedgerRequest { account: "main".to_owned() };
        self.client.clone().ledger(request).await.unwrap().into_inner()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Keeps the lease: an epoch above everything seen, once; renewed from then on.
async fn renew(
    up: mpsc::Sender<proto::AgentUp>,
    wanted: Arc<Mutex<Wanted>>,
    status: Arc<Mutex<proto::CoreStatus>>,
) {
    for attempt in 1.. {
        let seen = status.lock().unwrap().accounts.first().filter(|a| a.ready).map(|a| a.highest_epoch_seen);
        let leaseless = wanted.lock().unwrap().leaseless;
        if let Some(seen) = seen.filter(|_| !leaseless) {
            let account = "main".to_owned();
            let epoch = {
                let mut wanted = wanted.lock().unwrap();
                if wanted.epoch == 0 {
                    wanted.epoch = seen + 1;
                }
                wanted.epoch
            };
            let begun = proto::LeaseAttempt { account: account.clone(), attempt };
            let renewed = proto::LeaseRenewed {
                account,
                attempt,
                epoch,
                soft_deadline_ms: 35_000,
                hard_deadline_ms: 55_000,
            };
            for body in [Body::LeaseAttempt(begun), Body::LeaseRenewed(renewed)] {
                if up.send(proto::AgentUp { body: Some(body) }).await.is_err() {
                    return;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A policy for one instance that may trade one symbol.
pub fn policy(instance: &str, symbol: &str, capital: &[(&str, &str)]) -> proto::InstancePolicy {
    proto::InstancePolicy {
        instance: instance.to_owned(),
        uid: format!("uid-{instance}"),
        account: "main".to_owned(),
        strategy: "imbalance-maker".to_owned(),
        mode: proto::Mode::Live.into(),
        state: proto::instance_policy::State::Run.into(),
        deletion_policy: proto::DeletionPolicy::Flatten.into(),
        symbols: vec![symbol.to_owned()],
        capital: capital
            .iter()
            .map(|&(asset, amount)| proto::AssetAmount { asset: asset.to_owned(), amount: amount.to_owned() })
            .collect(),
        limits: Some(proto::RiskLimits {
            max_order_notional: "20000".to_owned(),
            max_position_notional: "50000".to_owned(),
            max_open_orders: 10,
            max_order_rate: 10,
            price_collar_bps: 200,
            max_data_age_ms: 3000,
            ..Default::default()
        }),
        token_sha256: super::sidecar::token_sha256(instance),
        parameters_json: "{}".to_owned(),
        on_sidecar_loss: Some(proto::SidecarLoss {
            action: proto::sidecar_loss::Action::Cancel.into(),
            after_ms: 3000,
        }),
        ..Default::default()
    }
}
