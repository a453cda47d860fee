//! Compiles the gRPC contract without needing a `protoc` on the machine.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    let files = ["common", "strategy", "agent"].map(|name| format!("{root}/flashpod/v1/{name}.proto"));
    for file in &files {
        println!("cargo:rerun-if-changed={file}");
    }
    // The clients serve tests and the bench; without a transport they cost nothing here.
    tonic_prost_build::configure().build_transport(false).compile_fds(protox::compile(&files, [root])?)?;
    Ok(())
}
