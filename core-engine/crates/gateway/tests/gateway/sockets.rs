//! Sockets and connections: who may speak, and what becomes of garbage, floods and vanished instances.

use std::time::Duration;

use flashpod_engine::Input;
use flashpod_engine::io::{AgentInput, SessionMessage};
use flashpod_gateway::instance_socket;
use flashpod_gateway::proto::session_down::Body as Down;
use tonic::Code;

use crate::stage::{
    Agent, Core, PATIENCE, ToEngine, channel, core_with_instance, hello, open, policy, welcome,
};

#[tokio::test]
async fn a_removed_instance_loses_its_session_and_its_socket_and_may_come_back() {
    let (mut core, agent) = core_with_instance().await;
    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    core.next_message().await;
    agent.desire(2, Vec::new()).await;
    assert_eq!(sidecar.next().await.unwrap_err().code(), Code::FailedPrecondition);
    drop(sidecar);
    agent.desire(3, vec![policy()]).await;
    let mut asked = 0;
    while asked < 2 {
        if let ToEngine::Input(Input::Agent(AgentInput::Desired(_))) = core.next().await {
            asked += 1;
        }
    }
    let path = instance_socket(core.directory.path(), "maker-1");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::net::UnixStream::connect(&path).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    open(&core, hello("secret", 0)).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_can_not_be_opened_is_told_and_tried_again() {
    let mut core = Core::start(None);
    let path = instance_socket(core.directory.path(), "maker-1");
    // A file where the directory should be.
    std::fs::create_dir_all(path.parent().unwrap().parent().unwrap()).unwrap();
    std::fs::write(path.parent().unwrap(), "").unwrap();
    let mut agent = Agent::connect(&core).await;
    agent.desire(1, vec![policy()]).await;
    assert!(matches!(core.next_agent().await, AgentInput::Desired(_)));
    let status = agent.status_where(|status| !status.instances.is_empty()).await;
    let reason = &status.instances[0].reasons[0];
    assert!(reason.starts_with("SocketFailed") && reason.contains("core.sock"), "{reason}");
    std::fs::remove_file(path.parent().unwrap()).unwrap();
    open(&core, hello("secret", 0)).await.unwrap();
    agent.status_where(|status| status.instances.is_empty()).await;
}

#[tokio::test]
async fn bytes_that_are_not_grpc_do_no_harm() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut core, _agent) = core_with_instance().await;
    let path = instance_socket(core.directory.path(), "maker-1");
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\xff\xff"]
    {
        drop(channel(&path).await);
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        let _ = stream.write_all(garbage).await;
        let _ = stream.shutdown().await;
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.unwrap();
    }
    let _sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
}

#[tokio::test]
async fn a_flood_of_connections_leaves_the_agent_and_the_sessions_alone() {
    let (mut core, mut agent) = core_with_instance().await;
    let path = instance_socket(core.directory.path(), "maker-1");
    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    // Half-open ones, which say nothing: they take the places that are left, and the core closes the rest.
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(tokio::net::UnixStream::connect(&path).await.unwrap());
    }
    tokio::time::timeout(PATIENCE, async {
        while core.counters.refused_connections.get() < 200 - 15 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("all but fifteen connections of the flood are closed");
    core.say(welcome());
    assert!(matches!(sidecar.next().await.unwrap(), Down::Welcome(_)));
    agent.status_where(|_| true).await;
    drop(sidecar);
    assert!(matches!(core.next_message().await, SessionMessage::Closed));
    drop(flood);
    let reconnected = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Ok(sidecar) = open(&core, hello("secret", 0)).await {
                return sidecar;
            }
        }
    });
    assert!(reconnected.await.is_ok(), "places are free again when their connections end");
}
