//! Jupyter notebooks: each cell's source and output as the text it is.

use keymuster_api::GapKind;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Walk;

pub(super) fn open(walk: &mut Walk<'_>, bytes: &[u8]) {
    let notebook: Value = match serde_json::from_slice(bytes) {
        Ok(notebook) => notebook,
        Err(error) => {
            // The message names a place, not content.
            let (line, column) = (error.line(), error.column());
            return walk.gap(
                GapKind::Corrupt,
                format!("is no JSON from line {line}, column {column} on; it was searched as text"),
            );
        }
    };
    let cells = notebook.get("cells").and_then(Value::as_array);
    for (number, cell) in cells.into_iter().flatten().enumerate() {
        if walk.is_done() {
            return;
        }
        let mut text = Zeroizing::new(Vec::new());
        lines(cell.get("source"), &mut text);
        let outputs = cell.get("outputs").and_then(Value::as_array);
        for output in outputs.into_iter().flatten() {
            text.push(b'\n');
            lines(output.get("text"), &mut text);
            lines(
                output.get("data").and_then(|data| data.get("text/plain")),
                &mut text,
            );
        }
        walk.made(format!("cells/{}", number + 1).as_bytes(), &text);
    }
}

/// A text is one string, or a list of lines.
fn lines(text: Option<&Value>, out: &mut Vec<u8>) {
    match text {
        Some(Value::String(text)) => out.extend_from_slice(text.as_bytes()),
        Some(Value::Array(lines)) => {
            for line in lines.iter().filter_map(Value::as_str) {
                out.extend_from_slice(line.as_bytes());
            }
        }
        _ => {}
    }
}
