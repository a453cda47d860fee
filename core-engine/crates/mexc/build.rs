//! Compiles the push schema without needing a `protoc` on the machine.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = "../../proto/mexc/push.proto";
    println!("cargo:rerun-if-changed={proto}");
    let descriptors = protox::compile([proto], ["../../proto/mexc"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
