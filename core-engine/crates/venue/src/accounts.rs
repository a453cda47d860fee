//! The file of simulated accounts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use flashpod_types::{Amount, Asset};

/// One account as given: `{"apiKey":…,"secretKey":…,"balances":{"USDC":"1000000"}}`.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccountSpec {
    pub api_key: String,
    pub secret_key: String,
    #[serde(default)]
    pub balances: BTreeMap<String, String>,
}

impl fmt::Debug for AccountSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountSpec").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    accounts: Vec<AccountSpec>,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error("--accounts {0}: {1}")]
    Read(String, std::io::Error),
    #[error(
        "--accounts {0}: {1}; accepted is {{\"accounts\":[{{\"apiKey\":\"…\",\"secretKey\":\"…\",\"balances\":{{\"USDC\":\"1000\"}}}}]}}"
    )]
    Shape(String, String),
}

impl AccountSpec {
    /// The balances as numbers.
    pub fn amounts(&self) -> Result<Vec<(Asset, Amount)>, String> {
        let amount = |(asset, text): (&String, &String)| {
            let name: Asset = asset.parse().map_err(|e| format!("asset {asset:?} {e}"))?;
            let amount: Amount = text.parse().map_err(|e| format!("balance of {asset} {text:?} {e}"))?;
            if amount.is_negative() {
                return Err(format!("balance of {asset} {text:?} is negative"));
            }
            Ok((name, amount))
        };
        self.balances.iter().map(amount).collect()
    }
}

/// Reads the file; every error names the file and what would be accepted.
pub fn read(path: &Path) -> Result<Vec<AccountSpec>, AccountsError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| AccountsError::Read(name.clone(), e))?;
    let file: File =
        serde_json::from_str(&text).map_err(|e| AccountsError::Shape(name.clone(), e.to_string()))?;
    for (at, account) in file.accounts.iter().enumerate() {
        let shape = |why: String| AccountsError::Shape(name.clone(), format!("account {at}: {why}"));
        if account.api_key.is_empty() || account.secret_key.is_empty() {
            return Err(shape("apiKey and secretKey must not be empty".into()));
        }
        if file.accounts[..at].iter().any(|other| other.api_key == account.api_key) {
            return Err(shape("its apiKey is used twice".into()));
        }
        account.amounts().map_err(shape)?;
    }
    Ok(file.accounts)
}
