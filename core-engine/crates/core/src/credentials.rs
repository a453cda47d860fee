//! API keys, read from mounted files. Nothing here is ever printed.

use std::fmt;
use std::path::{Path, PathBuf};

use flashpod_mexc::Signer;

pub(crate) struct Credentials {
    pub(crate) api_key: String,
    pub(crate) signer: Signer,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("credentials file {path:?} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "credentials file {path:?} is empty or holds blanks or other characters that no key has; one line with the key is expected"
    )]
    Malformed { path: PathBuf },
}

/// Reads `apiKey` and `secretKey` of one account.
pub(crate) fn read(directory: &Path) -> Result<Credentials, CredentialsError> {
    let api_key = key(directory.join("apiKey"))?;
    let signer = Signer::new(&key(directory.join("secretKey"))?);
    Ok(Credentials { api_key, signer })
}

fn key(path: PathBuf) -> Result<String, CredentialsError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::InvalidData => {
            return Err(CredentialsError::Malformed { path });
        }
        Err(source) => return Err(CredentialsError::Read { path, source }),
    };
    let key = text.trim_end_matches(['\n', '\r']);
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(CredentialsError::Malformed { path });
    }
    Ok(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_newline_is_no_part_of_a_key_and_errors_name_the_file_only() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("apiKey", "mx0abc\n");
        let missing = read(directory.path()).unwrap_err().to_string();
        assert!(missing.contains("secretKey"), "{missing}");
        write("secretKey", "s3cr3t\r\n");
        let credentials = read(directory.path()).unwrap();
        assert_eq!(credentials.api_key, "mx0abc");
        assert_eq!(credentials.signer.sign("a=1", ""), Signer::new("s3cr3t").sign("a=1", ""));
        assert_eq!(format!("{credentials:?}"), "Credentials(redacted)");
        write("secretKey", "s3 cr3t");
        let malformed = read(directory.path()).unwrap_err().to_string();
        assert!(malformed.contains("secretKey") && !malformed.contains("cr3t"), "{malformed}");
    }
}
