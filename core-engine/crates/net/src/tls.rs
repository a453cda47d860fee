//! TLS trust: the public roots, and the CA file of a private venue.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

/// Whom to trust. Cheap to clone; sessions are resumed across clones.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("CA file {path:?} can't be read as PEM certificates: {source}")]
    Pem { path: PathBuf, source: rustls_pki_types::pem::Error },
    #[error("CA file {path:?} holds no certificate; a PEM file with at least one is expected")]
    Empty { path: PathBuf },
    #[error("CA file {path:?} holds a certificate that can't be a trust anchor: {source}")]
    Anchor { path: PathBuf, source: rustls::Error },
    #[error("TLS can't be set up: {0}")]
    Provider(rustls::Error),
}

impl Tls {
    /// Trusts the public web roots and, when given, every certificate of a PEM file.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = ca_file {
            let pem = |source| TlsError::Pem { path: path.to_owned(), source };
            let before = roots.len();
            for certificate in CertificateDer::pem_file_iter(path).map_err(pem)? {
                roots
                    .add(certificate.map_err(pem)?)
                    .map_err(|source| TlsError::Anchor { path: path.to_owned(), source })?;
            }
            if roots.len() == before {
                return Err(TlsError::Empty { path: path.to_owned() });
            }
        }
        // The provider is named rather than taken from the process default, which nobody has to install then.
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Provider)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.config))
    }
}
