//! The findings on the page, as blocks: one index with what the table shows and the search looks
//! at, and details by the thousand, which are opened when somebody asks for them.
//!
//! Few findings stand there as JSON, to be read in the source; many are compressed (gzip, in
//! base64), so that a hundred thousand open at once.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::report::{Document, FindingEntry, text::cut, text::prose};

/// Findings of a block of details.
const BLOCK: usize = 1_000;
/// Up to so many findings nothing is compressed.
const PLAIN: usize = 500;
/// Characters of places that the search looks at.
const SEARCHED: usize = 300;

const JSON: &str = "<script type=\"application/json\" class=\"block\">";
const GZIP: &str = "<script type=\"application/gzip\" class=\"block\">";
const END: &str = "</script>\n";

/// The blocks as script elements that are never run.
pub(super) fn payload(doc: &Document) -> String {
    let packed = doc.findings.len() > PLAIN;
    let mut out = String::new();
    add(&mut out, packed, &index(doc));
    for block in doc.findings.chunks(BLOCK) {
        let details: Vec<Value> = block.iter().map(details).collect();
        add(&mut out, packed, &Value::Array(details));
    }
    out
}

fn add(out: &mut String, packed: bool, value: &Value) {
    let json = value.to_string();
    if packed {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        // Memory takes everything.
        let _ = gzip.write_all(json.as_bytes());
        out.push_str(GZIP);
        STANDARD.encode_string(gzip.finish().unwrap_or_default(), out);
    } else {
        // Escapes of JSON: no element can end, none can begin.
        let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
        out.push_str(JSON);
        out.push_str(&json.replace('&', "\\u0026"));
    }
    out.push_str(END);
}

/// Columns, each with a value for every finding.
fn index(doc: &Document) -> Value {
    let column = |cell: &dyn Fn(&FindingEntry) -> String| -> Vec<String> {
        doc.findings.iter().map(cell).collect()
    };
    let some = |text: &Option<String>| text.as_deref().map(prose).unwrap_or_default();
    json!({
        "id": column(&|one| prose(&one.finding_id)),
        "check": column(&|one| prose(&one.check)),
        "title": column(&|one| prose(&one.title)),
        "severity": column(&|one| one.grade().as_str().to_owned()),
        "state": column(&|one| prose(&one.state)),
        "who": column(&|one| match &one.owner {
            Some(owner) => prose(owner),
            None => some(&one.route_to),
        }),
        "due": column(&|one| some(&one.due)),
        "late": doc.findings.iter().map(|one| one.sla_breached).collect::<Vec<_>>(),
        "more": column(&|one| {
            let places = one.locations.join(" ");
            let words = format!("{} {} {places}", some(&one.credential), some(&one.route_to));
            cut(&prose(&words), SEARCHED).into_owned()
        }),
    })
}

fn details(finding: &FindingEntry) -> Value {
    let some = |text: &Option<String>| text.as_deref().map(prose);
    let texts = |all: &[String]| all.iter().map(|one| prose(one)).collect::<Vec<_>>();
    let evidence: Vec<[String; 3]> = finding
        .evidence
        .iter()
        .map(|one| [prose(&one.label), prose(&one.value), prose(&one.source)])
        .collect();
    json!({
        "owner": some(&finding.owner),
        "route": some(&finding.route_to),
        "record": some(&finding.record_id),
        "first": prose(&finding.first_seen),
        "remedy": prose(&finding.remediation),
        "revoke": some(&finding.revocation_path),
        "places": texts(&finding.locations),
        "evidence": evidence,
        "frameworks": texts(&finding.frameworks),
    })
}

/// How many findings the blocks of a page hold: in the index, and in the details.
///
/// # Errors
/// What is wrong with a block.
pub(crate) fn counts(page: &str) -> Result<(usize, usize), String> {
    let mut blocks = Vec::new();
    for part in page.split("<script type=\"application/").skip(1) {
        let (head, rest) = part.split_once('>').ok_or("a block without contents")?;
        let text = rest.split_once("</script>").ok_or("a block without end")?.0;
        let value: Value = if head.starts_with("gzip") {
            let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
            let plain = flate2::read::GzDecoder::new(&*bytes);
            serde_json::from_reader(std::io::BufReader::new(plain))
        } else {
            serde_json::from_str(text)
        }
        .map_err(|error| error.to_string())?;
        blocks.push(value);
    }
    let (index, details) = blocks.split_first().ok_or("the page has no findings")?;
    let length = |value: &Value| value.as_array().map_or(0, Vec::len);
    Ok((length(&index["id"]), details.iter().map(length).sum()))
}

#[cfg(test)]
mod tests {
    use super::{counts, payload};
    use crate::report::{Document, samples};

    #[test]
    fn few_and_many_are_whole() {
        let sample = samples::document();
        for count in [0, 1, 500, 501, 2_001] {
            let doc = Document {
                findings: vec![sample.findings[0].clone(); count],
                ..Document::default()
            };
            let blocks = payload(&doc);
            assert_eq!(counts(&blocks), Ok((count, count)));
            assert_eq!(blocks.contains("application/gzip"), count > 500);
        }
        let whole = payload(&sample);
        assert!(counts(&whole[..whole.len() / 2]).is_err());
    }
}
