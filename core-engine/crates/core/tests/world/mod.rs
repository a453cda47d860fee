//! A venue and a core as processes, with an agent and sidecars played by the test.
#![allow(dead_code, unreachable_pub, missing_debug_implementations)] // each test file uses a part of it

pub mod agent;
pub mod audit;
pub mod sidecar;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest wait for anything; only a failing test takes it.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const API_KEY: &str = "mx0test";
const SECRET_KEY: &str = "test-secret";

#[expect(clippy::disallowed_methods)] // a test may look at the clock to give up
pub fn now() -> Instant {
    Instant::now()
}

/// Polls until there is a value.
pub async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(value) = poll().await {
            return value;
        }
        assert!(now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The one of `FLASHPOD_BIN_DIR`, else one that is built beside the core under test.
fn venue_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(binaries) = std::env::var_os("FLASHPOD_BIN_DIR") {
            return Path::new(&binaries).join("flashpod-venue");
        }
        let core = Path::new(env!("CARGO_BIN_EXE_flashpod-core"));
        let directory = core.parent().unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", "flashpod-venue"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if directory.ends_with("release") {
            build.arg("--release");
        }
        build.env("CARGO_TARGET_DIR", directory.parent().unwrap());
        assert!(build.status().unwrap().success(), "flashpod-venue can't be built");
        directory.join("flashpod-venue")
    })
}

pub struct Venue {
    child: Child,
    pub rest: String,
    pub ws: String,
    pub ca_file: Option<PathBuf>,
}

impl Venue {
    pub fn start(directory: &Path, args: &[&str]) -> Self {
        let accounts = directory.join("accounts.json");
        let balances = json!({"USDC": "1000000", "BTC": "10", "ETH": "100"});
        let account = json!({"apiKey": API_KEY, "secretKey": SECRET_KEY, "balances": balances});
        std::fs::write(&accounts, json!({ "accounts": [account] }).to_string()).unwrap();
        let mut child = Command::new(venue_binary())
            .args(["--listen", "127.0.0.1:0", "--accounts"])
            .arg(&accounts)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the venue's first line");
        let text = |name: &str| ready[name].as_str().map(str::to_owned);
        Self {
            child,
            rest: text("rest").unwrap(),
            ws: text("ws").unwrap(),
            ca_file: text("caFile").map(PathBuf::from),
        }
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// GET over plain HTTP: status and body.
pub fn http_get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// PUT over plain HTTP: status and body.
pub fn http_put(address: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "PUT {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The directories of one core; they outlive its process.
pub struct Home {
    directory: tempfile::TempDir,
    /// Of the configuration.
    journal_sizes: Value,
}

impl Home {
    pub fn new() -> Self {
        Self::with_journal(json!({}))
    }

    pub fn with_journal(journal_sizes: Value) -> Self {
        let directory = tempfile::Builder::new().prefix("fp").tempdir().unwrap();
        let home = Self { directory, journal_sizes };
        let keys = home.path("credentials/main");
        std::fs::create_dir_all(&keys).unwrap();
        std::fs::write(keys.join("apiKey"), format!("{API_KEY}\n")).unwrap();
        std::fs::write(keys.join("secretKey"), format!("{SECRET_KEY}\n")).unwrap();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn configure(&self, rest: &str, ws: &str) {
        let account = json!({
            "name": "main", "environment": "Simulated", "rest": rest, "ws": ws, "credentials": "main",
        });
        let config = json!({
            "core": "core", "namespace": "default", "pollMode": "Park", "stopPolicy": "Cancel",
            "accounts": [account], "journal": self.journal_sizes,
        });
        std::fs::write(self.path("core.json"), config.to_string()).unwrap();
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flashpod-core"));
        command.arg("run");
        for (flag, name) in [
            ("--config", "core.json"),
            ("--state-dir", "state"),
            ("--socket-dir", "s"),
            ("--credentials-dir", "credentials"),
        ] {
            command.arg(flag).arg(self.path(name));
        }
        command
    }

    pub fn journal(&self) -> PathBuf {
        self.path("state/main/journal")
    }
}

pub struct Core {
    child: Child,
    pub socket_dir: PathBuf,
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Core {
    pub fn start(home: &Home, venue: &Venue) -> Self {
        home.configure(&venue.rest, &venue.ws);
        let mut command = home.command();
        if let Some(ca_file) = &venue.ca_file {
            command.arg("--ca-file").arg(ca_file);
        }
        Self::spawn(home, command)
    }

    pub fn spawn(home: &Home, mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    log.lock().unwrap().push(line);
                }
            }
        });
        Self { child, socket_dir: home.path("s"), log }
    }

    /// host:port of /metrics, from the log.
    pub async fn metrics(&self) -> String {
        eventually("the core says where its metrics are", async || {
            let log = self.log.lock().unwrap();
            let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.filter_map(|line| line["metrics"].as_str().map(str::to_owned)).next()
        })
        .await
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = eventually("the core ends", async || self.child.try_wait().unwrap()).await;
        for line in self.log.lock().unwrap().iter() {
            let line: Value = serde_json::from_str(line).expect("logs are JSON lines");
            assert_ne!(line["level"], "ERROR", "{line}");
        }
        status
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            eprintln!("--- core log, last lines");
            log.iter().rev().take(40).rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Runs `flashpod-core` to its end.
pub fn run(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

/// `flashpod-core replay --verify`.
pub fn verify(journal: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flashpod-core"));
    command.args(["replay", "--verify", "--journal"]).arg(journal);
    run(command)
}
