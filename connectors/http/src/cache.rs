//! What earlier runs saw, sealed, with the ETag under which it still holds.

use std::sync::Arc;

use keymuster_api::Memo;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Pages of one host, as one identity sees them.
pub(crate) struct Cache {
    memo: Arc<dyn Memo>,
    unit: String,
}

/// A page that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CachedPage {
    pub(crate) etag: String,
    pub(crate) body: Value,
    pub(crate) next: Option<String>,
}

impl Cache {
    /// `policy` names what sealing keeps: pages kept under another one are not these.
    pub(crate) fn new(memo: Arc<dyn Memo>, host: &str, identity: &str, policy: &str) -> Cache {
        Cache {
            memo,
            unit: format!("http:{host}:{identity}:{policy}"),
        }
    }

    pub(crate) fn find(&self, path: &str) -> Option<CachedPage> {
        let pieces = self.memo.pieces(&self.unit, path);
        serde_json::from_slice(pieces.first()?).ok()
    }

    pub(crate) fn keep(&self, path: &str, page: &CachedPage) {
        if let Ok(bytes) = serde_json::to_vec(page) {
            self.memo
                .replace(&self.unit, vec![(path.to_owned(), bytes)]);
        }
    }
}
