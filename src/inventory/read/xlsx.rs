//! Workbooks: the sheet that is asked for, else the one whose headers are known best.
//!
//! Cells are taken one at a time, so a cell far out costs a cell, and no more is unpacked than a
//! register can be.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read as _},
};

use calamine::{DataRef, Dimensions, ExcelDateTime, Reader as _, SheetVisible, Xlsx};

use super::{super::InventoryError, ReadCx, Row, Table, header};
use crate::inventory::text::{nearest, shown, trimmed};

/// Bytes of all parts of a workbook together, unpacked.
const MOST_BYTES: u64 = 1 << 30;
/// Cells with content on one sheet.
const MOST_CELLS: usize = 40_000_000;
/// Cells that merged areas are spread over.
const MOST_MERGED: u64 = 1_000_000;
/// Rows that are looked at to choose a sheet.
const HEAD: usize = 20;

/// Reads a workbook.
///
/// # Errors
/// When it is none or a locked one, is too large, or has no sheet with content.
pub(super) fn read(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Table, InventoryError> {
    bounded(bytes, cx)?;
    let mut book: Xlsx<Cursor<&[u8]>> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| broken(cx, &error))?;
    let visible: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let (name, mut notes) = choose(&mut book, visible, cx)?;
    let mut rows = cells(&mut book, &name, usize::MAX, cx)?;
    if let Ok(merged) = book.merge_cells_by_sheet_name(&name) {
        spread(&mut rows, &merged);
    }
    rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
    if rows.is_empty() {
        notes.clear();
    }
    header::table(rows, notes, cx)
}

fn broken(cx: &ReadCx<'_>, error: &calamine::XlsxError) -> InventoryError {
    let (what, help) = match error {
        calamine::XlsxError::Password => (
            "is locked with a password",
            "save it without one, or as CSV",
        ),
        _ => (
            "is no workbook that can be read",
            "open it in a spreadsheet and save it again, or as CSV",
        ),
    };
    InventoryError::new(cx.label, what).help(help)
}

/// Unpacks every part into nothing, and counts.
fn bounded(bytes: &[u8], cx: &ReadCx<'_>) -> Result<(), InventoryError> {
    let unreadable = || {
        InventoryError::new(cx.label, "is no workbook that can be read")
            .help("open it in a spreadsheet and save it again, or as CSV")
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    let mut left = MOST_BYTES;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| unreadable())?;
        let unpacked = io::copy(&mut part.take(left + 1), &mut io::sink());
        left = match left.checked_sub(unpacked.map_err(|_| unreadable())?) {
            Some(left) => left,
            None => {
                let message = format!("unpacks to more than {} MiB", MOST_BYTES >> 20);
                return Err(InventoryError::new(cx.label, message)
                    .help("save the sheet as CSV and name that file"));
            }
        };
    }
    Ok(())
}

type Book<'a> = Xlsx<Cursor<&'a [u8]>>;

/// The sheet, and what to tell about the others.
fn choose(
    book: &mut Book<'_>,
    visible: Vec<String>,
    cx: &ReadCx<'_>,
) -> Result<(String, Vec<String>), InventoryError> {
    if let Some(wanted) = cx.sheet {
        let all = book.sheet_names();
        return match all.iter().find(|name| name.eq_ignore_ascii_case(wanted)) {
            Some(name) => Ok((name.clone(), Vec::new())),
            None => {
                let near = nearest(wanted, all.iter().map(String::as_str));
                let near = near.map(|near| format!("did you mean `{}`?", shown(near)));
                let names: Vec<String> = all.iter().take(8).map(|name| shown(name)).collect();
                let names = format!("sheets are {}", names.join(", "));
                Err(
                    InventoryError::new(cx.label, format!("has no sheet `{}`", shown(wanted)))
                        .help(near.unwrap_or(names)),
                )
            }
        };
    }
    // Known header words, then content; of equals the first.
    let mut best: Option<((usize, usize), String)> = None;
    let mut others = Vec::new();
    for name in visible {
        let Ok(head) = cells(book, &name, HEAD, cx) else {
            continue;
        };
        let known = head.iter().map(|row| header::known(&row.cells, cx)).max();
        let score = (known.unwrap_or(0), head.len().min(2));
        if score.1 == 0 {
            continue;
        }
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            others.extend(best.replace((score, name)));
        } else {
            others.push((score, name));
        }
    }
    let Some((_, name)) = best else {
        return Err(InventoryError::new(cx.label, "has no sheet with content")
            .help("name the file that holds the register"));
    };
    let mut notes = Vec::new();
    let mut likely: Vec<String> = others
        .into_iter()
        .filter(|((known, _), _)| *known >= 2)
        .map(|(_, name)| format!("`{}`", shown(&name)))
        .collect();
    likely.sort();
    if !likely.is_empty() {
        notes.push(format!(
            "{}: read sheet `{}`; not read: {}, which look like registers too (`sheet` names another one)",
            cx.label,
            shown(&name),
            likely.join(", ")
        ));
    }
    Ok((name, notes))
}

/// The rows of a sheet, at most so many.
fn cells(
    book: &mut Book<'_>,
    name: &str,
    most_rows: usize,
    cx: &ReadCx<'_>,
) -> Result<Vec<Row>, InventoryError> {
    let mut reader = book
        .worksheet_cells_reader(name)
        .map_err(|error| broken(cx, &error))?;
    let mut rows: BTreeMap<u32, Row> = BTreeMap::new();
    let mut count = 0;
    while let Some(cell) = reader.next_cell().map_err(|error| broken(cx, &error))? {
        let (at, column) = cell.get_position();
        let text = text(cell.get_value());
        if trimmed(&text).is_empty() {
            continue;
        }
        if !rows.contains_key(&at) && rows.len() >= most_rows {
            break;
        }
        count += 1;
        if count > MOST_CELLS || column >= 16_384 {
            return Err(
                InventoryError::new(cx.label, "has more cells than a register")
                    .row(u64::from(at) + 1)
                    .help("save the part that is the register as CSV"),
            );
        }
        // What stands far right of any header is no column of a register.
        if column as usize > header::MOST_COLUMNS {
            let message = format!("has a cell in column {}", column + 1);
            return Err(InventoryError::new(cx.label, message)
                .row(u64::from(at) + 1)
                .help("clear it, or save the register as CSV"));
        }
        let row = rows.entry(at).or_insert_with(|| Row {
            row: u64::from(at) + 1,
            cells: Vec::new(),
        });
        let width = row.cells.len().max(column as usize + 1);
        row.cells.resize(width, String::new());
        row.cells[column as usize] = trimmed(&text).to_owned();
    }
    Ok(rows.into_values().collect())
}

/// A cell as it is read in any other format: dates by year, month and day.
fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Int(number) => number.to_string(),
        // Account numbers and the like are numbers to a spreadsheet.
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => moment(*at),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn moment(at: ExcelDateTime) -> String {
    if !at.is_datetime() {
        return at.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    if at.as_f64().fract() == 0.0 {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// What stands in a merged area's first cell stands in all its rows.
fn spread(rows: &mut [Row], merged: &[Dimensions]) {
    let mut left = MOST_MERGED;
    for area in merged {
        let height = u64::from(area.end.0.saturating_sub(area.start.0));
        if height == 0 || height > left {
            continue;
        }
        left -= height;
        let from = rows.partition_point(|row| row.row < u64::from(area.start.0) + 1);
        let column = area.start.1 as usize;
        let Some(text) = rows
            .get(from)
            .and_then(|row| row.cells.get(column))
            .cloned()
        else {
            continue;
        };
        if text.is_empty() || rows[from].row != u64::from(area.start.0) + 1 {
            continue;
        }
        let below = rows[from + 1..].iter_mut();
        for row in below.take_while(|row| row.row <= u64::from(area.end.0) + 1) {
            let width = row.cells.len().max(column + 1);
            row.cells.resize(width, String::new());
            if row.cells[column].is_empty() {
                row.cells[column].clone_from(&text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::super::{ReadCx, Table};

    /// A workbook of sheets, each with the XML of its rows and what follows them.
    fn book(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        let mut part = |name: &str, text: &str| {
            zip.start_file(name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        };
        let office = "http://schemas.openxmlformats.org";
        let main = format!("{office}/spreadsheetml/2006/main");
        let relations = format!("{office}/officeDocument/2006/relationships");
        let (mut named, mut related) = (String::new(), String::new());
        for (n, (name, rows, after)) in (1..).zip(sheets) {
            named.push_str(&format!(
                "<sheet name=\"{name}\" sheetId=\"{n}\" r:id=\"r{n}\"/>"
            ));
            related.push_str(&format!("<Relationship Id=\"r{n}\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"));
            part(
                &format!("xl/worksheets/sheet{n}.xml"),
                &format!(
                    "<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData>{after}</worksheet>"
                ),
            );
        }
        part("[Content_Types].xml", "<Types/>");
        part(
            "xl/workbook.xml",
            &format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets>{named}</sheets></workbook>"
            ),
        );
        part(
            "xl/styles.xml",
            &format!(
                "<styleSheet xmlns=\"{main}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
            ),
        );
        let package = format!("{office}/package/2006/relationships");
        part(
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        );
        part(
            "xl/_rels/workbook.xml.rels",
            &format!("<Relationships xmlns=\"{package}\">{related}</Relationships>"),
        );
        zip.finish().unwrap().into_inner()
    }

    fn row(number: u32, cells: &[&str]) -> String {
        let mut out = format!("<row r=\"{number}\">");
        for (column, cell) in ('A'..).zip(cells) {
            match cell.strip_prefix("date:") {
                Some(days) => out.push_str(&format!(
                    "<c r=\"{column}{number}\" s=\"1\"><v>{days}</v></c>"
                )),
                None if cell.parse::<f64>().is_ok() => {
                    out.push_str(&format!("<c r=\"{column}{number}\"><v>{cell}</v></c>"));
                }
                None => out.push_str(&format!(
                    "<c r=\"{column}{number}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"
                )),
            }
        }
        out + "</row>"
    }

    fn read(bytes: &[u8], sheet: Option<&str>) -> Result<Table, String> {
        let known = ["name", "owner", "account", "expires"];
        let knows = |word: &str| known.contains(&word.to_lowercase().as_str());
        let cx = ReadCx {
            sheet,
            ..ReadCx::plain("r.xlsx", &knows)
        };
        super::read(bytes, &cx).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sheet_of_known_headers_is_read_with_its_dates_and_numbers() {
        let register = row(3, &["Name", "Owner", "Account", "Expires"])
            + &row(4, &["a", "Jane", "123456789012", "date:46388"])
            + &row(5, &["b", "", "7.5", "never"]);
        let merged = "<mergeCells count=\"1\"><mergeCell ref=\"B4:B5\"/></mergeCells>";
        let bytes = book(&[
            ("Notes", &row(1, &["Hello"]), ""),
            ("Keys", &register, merged),
        ]);
        let table = read(&bytes, None).unwrap();
        assert_eq!(table.headers, ["Name", "Owner", "Account", "Expires"]);
        assert_eq!((table.header_row, table.rows[0].row), (3, 4));
        assert_eq!(
            table.rows[0].cells,
            ["a", "Jane", "123456789012", "2027-01-01"]
        );
        assert_eq!(table.rows[1].cells, ["b", "Jane", "7.5", "never"]);
        assert!(table.notes.is_empty(), "{:?}", table.notes);
        let table = read(&bytes, Some("notes")).unwrap();
        assert_eq!(table.headers, ["Hello"]);
        let error = read(&bytes, Some("Keyz")).unwrap_err();
        assert!(error.contains("did you mean `Keys`?"), "{error}");
    }

    #[test]
    fn a_second_register_in_the_book_is_told() {
        let one = row(1, &["Name", "Owner"]) + &row(2, &["a", "b"]);
        let bytes = book(&[("Old", &one, ""), ("New", &one, "")]);
        let table = read(&bytes, None).unwrap();
        assert!(
            table.notes[0].contains("read sheet `Old`; not read: `New`"),
            "{:?}",
            table.notes
        );
    }

    #[test]
    fn what_is_no_workbook_or_too_much_is_refused() {
        assert!(
            read(b"PK\x03\x04rest", None)
                .unwrap_err()
                .contains("no workbook")
        );
        let far = "<row r=\"1\"><c r=\"XFD1\" t=\"inlineStr\"><is><t>x</t></is></c></row>";
        assert!(read(&book(&[("S", far, "")]), None).is_err());
        assert!(
            read(&book(&[("S", "", "")]), None)
                .unwrap_err()
                .contains("no sheet with content")
        );
        let deep =
            "<row r=\"1048576\"><c r=\"A1048576\" t=\"inlineStr\"><is><t>Name</t></is></c></row>";
        let table = read(&book(&[("S", deep, "")]), None).unwrap();
        assert_eq!((table.header_row, table.rows.len()), (1_048_576, 0));
    }
}
