//! A throw-away certificate authority: it lives as long as the process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Makes authority and server certificate, writes the authority's (PEM) and says where.
pub(super) fn acceptor(host: &str, ca_out: Option<&Path>) -> anyhow::Result<(TlsAcceptor, PathBuf)> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "Flashpod throw-away authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let mut names: Vec<String> = ["127.0.0.1", "::1", "localhost"].map(String::from).to_vec();
    if !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name.push(DnType::CommonName, "flashpod-venue");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = leaf.signed_by(&key, &issuer)?;

    let path = write_ca(&ca_certificate.pem(), ca_out)?;
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let secret =
        PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| anyhow::anyhow!("server key: {e}"))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    Ok((TlsAcceptor::from(Arc::new(config)), path))
}

fn write_ca(pem: &str, wanted: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match wanted {
        Some(path) => path.to_owned(),
        None => {
            let directory = std::env::temp_dir().join(format!("flashpod-venue-{}", std::process::id()));
            std::fs::create_dir_all(&directory)?;
            directory.join("ca.pem")
        }
    };
    std::fs::write(&path, pem).with_context(|| format!("--ca-out {}", path.display()))?;
    Ok(path)
}
