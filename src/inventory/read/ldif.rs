//! Entries of an LDAP directory (RFC 2849), as `ldapsearch -LLL` and directory servers export
//! them.
//!
//! Rows are people (`inetOrgPerson`, Active Directory's `user`); groups give their members'
//! teams. Passwords are not looked at: of an entry only the attributes named here are read.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{super::InventoryError, ReadCx, Row, Table, encoding};
use crate::inventory::text::{fold, trimmed};

/// Column by column: the header, and the attributes it comes from; the first is the one of
/// choice, and those of `aliases` add up.
const COLUMNS: &[(&str, &[&str])] = &[
    ("id", &["uid", "samaccountname", "cn"]),
    ("mail", &["mail", "userprincipalname"]),
    (
        "aliases",
        &[
            "mail",
            "mailalternateaddress",
            "othermailbox",
            "othermails",
            "proxyaddresses",
            "userprincipalname",
            "samaccountname",
            "uid",
            "employeenumber",
            "employeeid",
            "objectguid",
            "entryuuid",
        ],
    ),
    ("name", &["displayname", "cn"]),
    ("team", &["department", "departmentnumber", "ou"]),
    ("teams", &[]),
    ("manager", &["manager"]),
    ("status", &[]),
    (
        "end date",
        &["accountexpires", "shadowexpire", "krbprincipalexpiration"],
    ),
];

type Entry = BTreeMap<String, Vec<String>>;

/// Reads entries.
///
/// # Errors
/// When the text is no LDIF, or holds no person.
pub(super) fn read(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Table, InventoryError> {
    let mut notes = Vec::new();
    let text = encoding::decode(bytes, cx, &mut notes)?;
    let entries = entries(&text, cx)?;
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut teams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, entry) in &entries {
        let dn = fold(first(entry, &["dn"]).unwrap_or_default());
        if let Some(id) = first(entry, &["uid", "samaccountname", "mail", "cn"]) {
            names.insert(dn, id.to_owned());
        }
        let members = ["member", "uniquemember", "memberuid"];
        let members = members.iter().filter_map(|name| entry.get(*name)).flatten();
        for member in members {
            if let Some(name) = first(entry, &["cn"]) {
                teams.entry(fold(member)).or_default().push(name.to_owned());
            }
        }
    }
    let mut rows = Vec::new();
    for (line, entry) in &entries {
        if !is_person(entry) {
            continue;
        }
        let cells = COLUMNS.iter().map(|(header, attributes)| match *header {
            "aliases" => all(entry, attributes),
            "manager" => {
                let manager = first(entry, attributes).unwrap_or_default();
                names.get(&fold(manager)).cloned().unwrap_or_default()
            }
            "teams" => groups(entry, &teams),
            "status" => status(entry).to_owned(),
            "end date" => first(entry, attributes).map(end).unwrap_or_default(),
            _ => first(entry, attributes).unwrap_or_default().to_owned(),
        });
        rows.push(Row {
            row: *line,
            cells: cells.collect(),
        });
    }
    if rows.is_empty() {
        return Err(InventoryError::new(cx.label, "holds no person")
            .help("export entries of the class inetOrgPerson or user"));
    }
    Ok(Table {
        headers: COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        header_row: 0,
        rows,
        notes,
    })
}

fn entries(text: &str, cx: &ReadCx<'_>) -> Result<Vec<(u64, Entry)>, InventoryError> {
    let mut found: Vec<(u64, Entry)> = Vec::new();
    let mut current: Option<(u64, Entry)> = None;
    // A line that begins with a blank goes on with the one before.
    let mut lines: Vec<(u64, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ => lines.push((number, line.to_owned())),
        }
    }
    for (number, line) in lines {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            found.extend(current.take());
            continue;
        }
        let Some((name, rest)) = line.split_once(':') else {
            return Err(InventoryError::new(cx.label, "is no LDIF")
                .row(number)
                .help("write `attribute: value`, entries with an empty line between them"));
        };
        // `cn;lang-de` is a `cn`.
        let name = name.split(';').next().unwrap_or(name).to_ascii_lowercase();
        if name == "version" && current.is_none() {
            continue;
        }
        let value = match rest.strip_prefix(':') {
            None => trimmed(rest).to_owned(),
            Some(coded) => match STANDARD.decode(trimmed(coded)) {
                Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
                Err(_) => {
                    return Err(
                        InventoryError::new(cx.label, "holds a value that is no base64")
                            .row(number)
                            .help("export the directory again"),
                    );
                }
            },
        };
        let (_, entry) = current.get_or_insert_with(|| (number, Entry::new()));
        if wanted(&name) && !value.is_empty() {
            entry.entry(name).or_default().push(value);
        }
    }
    found.extend(current);
    Ok(found)
}

fn wanted(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "dn",
        "objectclass",
        "member",
        "uniquemember",
        "memberuid",
        "memberof",
        "useraccountcontrol",
        "nsaccountlock",
        "pwdaccountlockedtime",
        "loginshell",
        "employeetype",
    ];
    OTHERS.contains(&name) || COLUMNS.iter().any(|(_, names)| names.contains(&name))
}

fn is_person(entry: &Entry) -> bool {
    let classes = entry.get("objectclass").into_iter().flatten();
    let mut classes = classes.map(|class| class.to_ascii_lowercase());
    let known = entry.contains_key("objectclass");
    !known && entry.contains_key("mail")
        || classes.any(|class| {
            matches!(
                class.as_str(),
                "person" | "inetorgperson" | "user" | "posixaccount"
            )
        }) && !entry
            .get("objectclass")
            .into_iter()
            .flatten()
            .any(|class| class.eq_ignore_ascii_case("computer"))
}

fn first<'e>(entry: &'e Entry, names: &[&str]) -> Option<&'e str> {
    names
        .iter()
        .find_map(|name| Some(entry.get(*name)?.first()?.as_str()))
}

fn all(entry: &Entry, names: &[&str]) -> String {
    let mut found: Vec<&str> = Vec::new();
    for value in names.iter().filter_map(|name| entry.get(*name)).flatten() {
        let bare = value
            .split_once(':')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("smtp"))
            .map_or(value.as_str(), |(_, mail)| mail);
        if !found.contains(&bare) {
            found.push(bare);
        }
    }
    found.join("; ")
}

/// The groups that name the entry, and those it names.
fn groups(entry: &Entry, teams: &BTreeMap<String, Vec<String>>) -> String {
    let mut found: Vec<String> = Vec::new();
    let own = entry.get("memberof").into_iter().flatten();
    found.extend(own.filter_map(|dn| {
        let (_, name) = dn.split(',').next()?.split_once('=')?;
        Some(name.to_owned())
    }));
    for key in [first(entry, &["dn"]), first(entry, &["uid"])]
        .into_iter()
        .flatten()
    {
        found.extend(teams.get(&fold(key)).into_iter().flatten().cloned());
    }
    found.sort();
    found.dedup();
    found.join("; ")
}

/// Locked accounts: Active Directory's flag 2 (ACCOUNTDISABLE), 389's `nsAccountLock`,
/// OpenLDAP's lock for good, a shell that is none.
fn status(entry: &Entry) -> &'static str {
    let flags = first(entry, &["useraccountcontrol"]).and_then(|text| text.parse::<u64>().ok());
    let locked = flags.is_some_and(|flags| flags & 2 != 0)
        || first(entry, &["nsaccountlock"]).is_some_and(|text| text.eq_ignore_ascii_case("true"))
        || first(entry, &["pwdaccountlockedtime"]).is_some_and(|text| text.starts_with("0000"));
    if locked { "ended" } else { "active" }
}

/// When the account ends, as a date: Active Directory counts 100 ns from 1601 (0 and the
/// largest number are never), shadow days from 1970, Kerberos writes `20270101000000Z`.
fn end(text: &str) -> String {
    let Ok(number) = text.parse::<i64>() else {
        let digits = text
            .get(..8)
            .filter(|day| day.bytes().all(|b| b.is_ascii_digit()));
        return digits.map(str::to_owned).unwrap_or_default();
    };
    const TO_1970: i64 = 11_644_473_600;
    let seconds = match number {
        0 | i64::MAX => return String::new(),
        days if (1..1_000_000).contains(&days) => days.checked_mul(86_400),
        ticks if ticks > 0 => (ticks / 10_000_000).checked_sub(TO_1970),
        _ => None,
    };
    let at = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::ReadCx;

    #[test]
    fn entries_become_people_with_their_groups() {
        let text = "version: 1\n\n# comment\ndn: uid=jane,ou=people,dc=acme\nobjectClass: inetOrgPerson\n\
            uid: jane\nmail: jane@acme.io\ndisplayName:: SsO8cmdlbg==\ndepartment: Pay\n ments\n\
            manager: uid=bob,ou=people,dc=acme\nproxyAddresses: smtp:j@old.io\n\n\
            dn: uid=bob,ou=people,dc=acme\nobjectClass: user\nuid: bob\nuserAccountControl: 514\n\
            accountExpires: 133801632000000000\nuserPassword: hush\n\n\
            dn: cn=sre,dc=acme\nobjectClass: groupOfNames\ncn: sre\nmember: UID=Jane,ou=people,dc=acme\n";
        let table = super::read(text.as_bytes(), &ReadCx::plain("x.ldif", &|_| false)).unwrap();
        assert_eq!(
            table.rows[0].cells,
            [
                "jane",
                "jane@acme.io",
                "jane@acme.io; j@old.io; jane",
                "J\u{fc}rgen",
                "Payments",
                "sre",
                "bob",
                "active",
                ""
            ]
        );
        assert_eq!(table.rows[1].cells[7..], ["ended", "2025-01-01T00:00:00Z"]);
        assert_eq!(table.rows[1].row, 14);
        assert!(
            !table
                .rows
                .iter()
                .any(|row| row.cells.iter().any(|cell| cell.contains("hush")))
        );
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let read = |text: &str| {
            super::read(text.as_bytes(), &ReadCx::plain("x.ldif", &|_| false))
                .unwrap_err()
                .to_string()
        };
        assert!(read("hello\n").starts_with("x.ldif:1: is no LDIF"));
        assert!(read("dn: cn=x\ncn: x\n").contains("holds no person"));
    }
}
