//! Node processes that a benchmark talks to.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

/// A script of `scripts/bench-session` under the project's own Node, with the arguments of every sidecar.
pub(crate) fn script(name: &str, socket: &Path, instance: &str) -> anyhow::Result<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let node: PathBuf = root.join("node_modules/.bin/node");
    ensure!(node.exists(), "{} is missing: run `npm run bench`, which installs it", node.display());
    let mut command = Command::new(node);
    command.arg(root.join("scripts/bench-session").join(name)).arg("--socket").arg(socket);
    command.args(["--instance", instance, "--token", crate::stage::TOKEN]);
    Ok(command)
}
