//! Compiles the protos with protox: no `protoc` is needed on the machine.

use prost::Message;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let protos =
        ["certificate_service", "enrolment_service", "evidence_service", "node_service", "table", "table_service"]
            .map(|p| format!("koonti/v1/{p}.proto"));
    let descriptors = protox::compile(&protos, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("koonti.bin");
    std::fs::write(out, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    for proto in &protos {
        println!("cargo::rerun-if-changed={proto}");
    }
    Ok(())
}
