//! Request signatures: lower-case hex of HMAC-SHA256 over the query string followed directly by the body.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a signature in hex.
pub const SIGNATURE_LEN: usize = 64;

/// Signs with one secret. Keeps the two hash states derived from the secret, not the secret: preparing them
/// once halves the work of each signature.
#[derive(Clone)]
pub struct Signer {
    prepared: Hmac<Sha256>,
}

impl Signer {
    #[must_use]
    pub fn new(secret: &str) -> Self {
        #[allow(clippy::expect_used)] // HMAC takes keys of any length, empty ones as well
        let prepared = Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes any key length");
        Self { prepared }
    }

    /// Signature of `query` followed by `body`, without a separator between them. Neither contains `signature`.
    #[must_use]
    pub fn sign(&self, query: &str, body: &str) -> String {
        let mut text = String::with_capacity(SIGNATURE_LEN);
        self.write(query, body, &mut text);
        text
    }

    /// Appends `&signature=…` for what `params` holds so far.
    pub fn append(&self, params: &mut String) {
        let digest = self.digest(params, "");
        params.reserve("&signature=".len() + SIGNATURE_LEN);
        params.push_str("&signature=");
        push_hex(&digest, params);
    }

    /// Appends `query` to a request line, and its signature as the last parameter.
    pub fn append_signed(&self, query: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(query.as_bytes());
        // With no parameters at all the signature is the first one.
        out.extend_from_slice(if query.is_empty() { b"signature=" } else { b"&signature=" });
        out.extend_from_slice(&hex(&self.digest(query, "")));
    }

    /// Whether `signature` is the right one, compared in constant time.
    #[must_use]
    pub fn verify(&self, query: &str, body: &str, signature: &str) -> bool {
        let mut expected = [0_u8; SIGNATURE_LEN / 2];
        if hex::decode_to_slice(signature, &mut expected).is_err() {
            return false;
        }
        let mut mac = self.prepared.clone();
        mac.update(query.as_bytes());
        mac.update(body.as_bytes());
        mac.verify_slice(&expected).is_ok()
    }

    fn write(&self, query: &str, body: &str, out: &mut String) {
        push_hex(&self.digest(query, body), out);
    }

    fn digest(&self, query: &str, body: &str) -> [u8; SIGNATURE_LEN / 2] {
        let mut mac = self.prepared.clone();
        mac.update(query.as_bytes());
        mac.update(body.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

fn push_hex(digest: &[u8; SIGNATURE_LEN / 2], out: &mut String) {
    // Digits and letters only.
    out.push_str(std::str::from_utf8(&hex(digest)).unwrap_or_default());
}

fn hex(digest: &[u8; SIGNATURE_LEN / 2]) -> [u8; SIGNATURE_LEN] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; SIGNATURE_LEN];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sim-secret-0123456789abcdef";

    /// The vectors of the project's API reference (§2), computed with an independent implementation.
    const VECTORS: [(&str, &str, &str); 4] = [
        ("timestamp=1760000000000", "", "1c427446781ceafd5fd7df010ba507137d82d557717e7606dd8c88b8969e56d4"),
        (
            "symbol=BTCUSDC&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=100000&newClientOrderId=t-1&recvWindow=5000&timestamp=1760000000000",
            "",
            "1cbd02af1e9dbf130aacb8c497c8d908046a52c97a5847aeed21981c76b92279",
        ),
        (
            "symbol=BTCUSDC&side=BUY",
            "type=LIMIT&quantity=0.001&price=100000&timestamp=1760000000000",
            "727b545f97422a8a102461b041abaead55fc72340c1e35c3ceb9d0d310990f77",
        ),
        (
            "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDC%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A%22LIMIT%22%2C%22quantity%22%3A%220.001%22%2C%22price%22%3A%22100000%22%7D%5D&recvWindow=5000&timestamp=1760000000000",
            "",
            "74569eb9f9c6a14d9bba0317b2f72e22d084cae52a93faef58afc214ed149616",
        ),
    ];

    #[test]
    fn the_published_vectors_come_out() {
        let signer = Signer::new(SECRET);
        for (query, body, signature) in VECTORS {
            assert_eq!(signer.sign(query, body), signature, "{query}{body}");
            assert!(signer.verify(query, body, signature));
        }
    }

    #[test]
    fn a_signature_is_appended_to_what_it_signs() {
        let mut params = VECTORS[1].0.to_owned();
        Signer::new(SECRET).append(&mut params);
        assert_eq!(params, format!("{}&signature={}", VECTORS[1].0, VECTORS[1].2));
        let mut line = b"GET /x?".to_vec();
        Signer::new(SECRET).append_signed(VECTORS[1].0, &mut line);
        assert_eq!(String::from_utf8(line).unwrap(), format!("GET /x?{params}"));
    }

    #[test]
    fn a_wrong_signature_is_not_accepted() {
        let signer = Signer::new(SECRET);
        let (query, body, signature) = VECTORS[0];
        assert!(!signer.verify("timestamp=1760000000001", body, signature));
        assert!(!signer.verify(query, body, &signature[..62]));
        assert!(!signer.verify(query, body, "no hex"));
        assert!(!Signer::new("another").verify(query, body, signature));
    }

    #[test]
    fn the_secret_cannot_be_printed() {
        assert_eq!(format!("{:?}", Signer::new(SECRET)), "Signer(redacted)");
    }
}
