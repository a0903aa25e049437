//! Where the header is, in a grid of cells: titles above it, headers over two rows, cells
//! merged sideways, duplicate and missing names, rows that are too short or too long.

use std::collections::BTreeMap;

use super::{super::InventoryError, ReadCx, Row, Table};
use crate::inventory::text::{rows_shown, squeezed};

/// How far down a header is looked for.
const DEEPEST: usize = 15;
/// More columns than any register has.
pub(super) const MOST_COLUMNS: usize = 1024;

/// How many cells are words that headers are made of.
pub(super) fn known(cells: &[String], cx: &ReadCx<'_>) -> usize {
    cells.iter().filter(|cell| (cx.knows)(cell)).count()
}

/// A table out of rows of any width, in file order and without empty ones.
///
/// # Errors
/// When there are no rows, the named header row does not exist, or there are too many columns.
pub(super) fn table(
    mut rows: Vec<Row>,
    mut notes: Vec<String>,
    cx: &ReadCx<'_>,
) -> Result<Table, InventoryError> {
    if rows.is_empty() {
        return Err(
            InventoryError::new(cx.label, "is empty").help("name the file that holds the register")
        );
    }
    if let Some(wide) = rows.iter().find(|row| row.cells.len() > MOST_COLUMNS) {
        let message = format!("has {} columns", wide.cells.len());
        return Err(InventoryError::new(cx.label, message)
            .row(wide.row)
            .help("check the delimiter"));
    }
    let (index, height) = match cx.header_row {
        Some(wanted) => {
            let index = rows.iter().position(|row| row.row == wanted);
            (
                index.ok_or_else(|| {
                    InventoryError::new(cx.label, "`header-row` names an empty row")
                        .row(wanted)
                        .help("count lines as an editor does, from 1")
                })?,
                1,
            )
        }
        None => find(&rows, cx),
    };
    let header_row = rows[index + height - 1].row;
    let headers = names(&rows, index, height, cx);
    if index > 0 {
        let above: Vec<u64> = rows[..index].iter().map(|row| row.row).collect();
        notes.push(format!(
            "{}: {} above the header in row {header_row} skipped",
            cx.label,
            rows_shown(&above)
        ));
    }
    rows.drain(..index + height);
    finish(headers, header_row, rows, notes, cx)
}

/// The header's first row (by index) and its height, 1 or 2.
fn find(rows: &[Row], cx: &ReadCx<'_>) -> (usize, usize) {
    let deepest = rows.len().min(DEEPEST);
    // Known words, then (where nothing is known) the first row as wide as any.
    let mut best = ((0, 0), 0, 1);
    let width = |row: &Row| row.cells.iter().filter(|cell| !cell.is_empty()).count();
    for index in 0..deepest {
        let one = known(&rows[index].cells, cx);
        let score = (one, width(&rows[index]).min(2));
        if score > best.0 {
            best = (score, index, 1);
        }
        let Some(next) = rows.get(index + 1) else {
            continue;
        };
        let both = known(&over(&rows[index].cells, &next.cells), cx);
        if both > one && both > known(&next.cells, cx) && both > best.0.0 {
            best = ((both, 2), index, 2);
        }
    }
    (best.1, best.2)
}

/// Two header rows as one: the lower name, or the upper where the lower cell is empty.
fn over(upper: &[String], lower: &[String]) -> Vec<String> {
    (0..upper.len().max(lower.len()))
        .map(|i| {
            let below = lower.get(i).filter(|cell| !cell.is_empty());
            below.or(upper.get(i)).cloned().unwrap_or_default()
        })
        .collect()
}

/// The columns' names. Names that stand there twice take the name of the group above them,
/// where there is one: `Owner` over `Name`, `Mail`; `Approver` over `Name`.
fn names(rows: &[Row], index: usize, height: usize, cx: &ReadCx<'_>) -> Vec<String> {
    let mut names = if height == 2 {
        over(&rows[index].cells, &rows[index + 1].cells)
    } else {
        rows[index].cells.clone()
    };
    let above = match (height, index) {
        (2, _) => Some(&rows[index]),
        (_, 0) => None,
        _ => Some(&rows[index - 1]),
    };
    let Some(groups) = above.filter(|row| known(&row.cells, cx) > 0) else {
        return names;
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        *counts.entry(squeezed(name)).or_default() += 1;
    }
    let mut group = "";
    for (i, name) in names.iter_mut().enumerate() {
        if let Some(cell) = groups.cells.get(i).filter(|cell| !cell.is_empty()) {
            group = cell;
        }
        let twice = counts.get(&squeezed(name)).is_some_and(|&count| count > 1);
        if twice && !name.is_empty() && !group.is_empty() && group != name {
            *name = format!("{group} {name}");
        }
    }
    names
}

fn finish(
    mut headers: Vec<String>,
    header_row: u64,
    mut rows: Vec<Row>,
    mut notes: Vec<String>,
    cx: &ReadCx<'_>,
) -> Result<Table, InventoryError> {
    let width = headers.len();
    let longest = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let long: Vec<u64> = rows
        .iter()
        .filter(|row| row.cells.iter().skip(width).any(|cell| !cell.is_empty()))
        .map(|row| row.row)
        .collect();
    let short: Vec<u64> = rows
        .iter()
        .filter(|row| row.cells.len() < width)
        .map(|row| row.row)
        .collect();
    if !long.is_empty() {
        notes.push(format!(
            "{}: {} with more cells than the header has; check for a delimiter that is not quoted",
            cx.label,
            rows_shown(&long)
        ));
    }
    if !short.is_empty() {
        notes.push(format!(
            "{}: {} with fewer cells than the header has; the missing ones are read as empty",
            cx.label,
            rows_shown(&short)
        ));
    }
    headers.resize(width.max(longest), String::new());
    for row in &mut rows {
        row.cells.resize(headers.len(), String::new());
    }
    let repeated: Vec<u64> = rows
        .iter()
        .filter(|row| row.cells == headers)
        .map(|row| row.row)
        .collect();
    if !repeated.is_empty() {
        rows.retain(|row| row.cells != headers);
        notes.push(format!(
            "{}: {} repeat the header; skipped",
            cx.label,
            rows_shown(&repeated)
        ));
    }
    // A column without name and content is none.
    let kept: Vec<usize> = (0..headers.len())
        .filter(|&i| !headers[i].is_empty() || rows.iter().any(|row| !row.cells[i].is_empty()))
        .collect();
    if kept.len() < headers.len() {
        for row in &mut rows {
            row.cells = kept
                .iter()
                .map(|&i| std::mem::take(&mut row.cells[i]))
                .collect();
        }
        headers = kept
            .iter()
            .map(|&i| match std::mem::take(&mut headers[i]) {
                name if name.is_empty() => format!("column {}", i + 1),
                name => name,
            })
            .collect();
    } else {
        for (i, name) in headers.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("column {}", i + 1);
            }
        }
    }
    Ok(Table {
        headers,
        header_row,
        rows,
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ReadCx, Table};
    use crate::inventory::text::squeezed;

    fn read(text: &str, header_row: Option<u64>) -> Table {
        let known = [
            "name", "owner", "approver", "status", "issued", "expires", "mail", "keyid",
        ];
        let knows = |word: &str| known.contains(&squeezed(word).as_str());
        let cx = ReadCx {
            header_row,
            ..ReadCx::plain("r.csv", &knows)
        };
        super::super::csv::read(text.as_bytes(), &cx).unwrap()
    }

    #[test]
    fn headers_are_found_where_they_are() {
        let table: &[(&str, &str, u64, &[&str])] = &[
            ("plain", "Name,Owner\na,b\n", 1, &["Name", "Owner"]),
            (
                "title above",
                "Register of credentials,\nas of May,\n\nName,Owner\na,b\n",
                4,
                &["Name", "Owner"],
            ),
            (
                "merged sideways, names below",
                "Credential,,Dates,\nName,Owner,Issued,Expires\na,b,c,d\n",
                2,
                &["Name", "Owner", "Issued", "Expires"],
            ),
            (
                "merged downwards",
                "Name,Owner,Dates,\n,,Issued,Expires\na,b,c,d\n",
                2,
                &["Name", "Owner", "Issued", "Expires"],
            ),
            (
                "names twice under groups",
                "Owner,,Approver,\nName,Mail,Name,Mail\na,b,c,d\n",
                2,
                &["Owner Name", "Owner Mail", "Approver Name", "Approver Mail"],
            ),
            (
                "empty header over content",
                "Name,,Owner,\na,x,b,\n",
                1,
                &["Name", "column 2", "Owner"],
            ),
            ("nothing known", "foo,bar\na,b\n", 1, &["foo", "bar"]),
            (
                "nothing known, title",
                "Our list,\nfoo,bar\na,b\n",
                2,
                &["foo", "bar"],
            ),
        ];
        for (case, text, row, headers) in table {
            let read = read(text, None);
            assert_eq!(read.headers, *headers, "{case}");
            assert_eq!(read.header_row, *row, "{case}");
            assert_eq!(read.rows.len(), 1, "{case}");
        }
    }

    #[test]
    fn the_configured_row_wins() {
        let read = read("Name,Owner\nfoo,bar\na,b\n", Some(2));
        assert_eq!(read.headers, ["foo", "bar"]);
    }

    #[test]
    fn ragged_rows_are_read_and_noted() {
        let read = read("Name,Owner,Status\na\nb,c,d,e\nName,Owner,Status\n", None);
        assert_eq!(read.headers, ["Name", "Owner", "Status", "column 4"]);
        assert_eq!(read.rows[0].cells, ["a", "", "", ""]);
        assert_eq!(read.rows[1].cells, ["b", "c", "d", "e"]);
        assert_eq!(read.rows.len(), 2, "the repeated header is no row");
        assert!(
            read.notes
                .iter()
                .any(|note| note.contains("row 3 with more cells"))
        );
        assert!(
            read.notes
                .iter()
                .any(|note| note.contains("row 2 with fewer cells"))
        );
    }
}
