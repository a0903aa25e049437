//! Lists that were exported in part: an answer that promises another page.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Pages by what they list: those that promise another one, those that do not.
#[derive(Debug, Default)]
pub(crate) struct Pages(BTreeMap<String, Counted>);

#[derive(Debug, Default)]
struct Counted {
    promising: u32,
    last: u32,
    file: u32,
    line: u32,
}

impl Pages {
    /// Counts one page.
    pub(crate) fn count(&mut self, what: String, is_promising: bool, file: u32, line: u32) {
        let counted = self.0.entry(what).or_default();
        if is_promising {
            counted.promising += 1;
            (counted.file, counted.line) = (file, line);
        } else {
            counted.last += 1;
        }
    }

    /// Lists whose last page is not there: what, and where the last promise stands.
    pub(crate) fn cut(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        let cut = self
            .0
            .iter()
            .filter(|(_, one)| one.promising > 0 && one.last == 0);
        cut.map(|(what, one)| (what.as_str(), one.file, one.line))
    }
}

/// Whether an answer with these members says that there is more: Microsoft Graph and Azure
/// (`nextLink`), Google (`nextPageToken`), Kubernetes (`metadata.continue`).
pub(crate) fn promises_more(members: &[(String, &RawValue)]) -> bool {
    let filled = |raw: &RawValue| !matches!(raw.get(), "null" | "\"\"");
    members.iter().any(|(name, raw)| match name.as_str() {
        "@odata.nextLink" | "nextLink" | "nextPageToken" => filled(raw),
        "metadata" => {
            let inner = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(raw.get());
            inner.is_ok_and(|inner| inner.get("continue").is_some_and(|raw| filled(raw)))
        }
        _ => false,
    })
}
