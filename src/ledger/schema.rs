//! The tables, and how an older ledger becomes a newer one.

use rusqlite::Connection;

/// The schema this program writes.
pub(super) const VERSION: i64 = 2;

/// Marks the file as a ledger of keymuster (`KMLG`), so that no other database is taken for one.
pub(super) const APPLICATION: i64 = 0x4b4d_4c47;

/// One step for each version, from the one before.
const STEPS: [&str; 2] = [
    "
    create table runs (
        id text primary key,
        at text not null,
        now text not null,
        tool text not null,
        complete integer not null,
        key_id text not null,
        document text
    );
    create table findings (
        id text primary key,
        check_id text not null,
        subject text not null,
        state text not null,
        severity text not null,
        first_seen text not null,
        last_seen text not null,
        reopened integer not null default 0,
        reopened_at text,
        paused_since text,
        paused_seconds integer not null default 0,
        due text,
        listed integer not null,
        scopes text not null,
        reason text not null default '',
        body text not null,
        run text not null
    );
    create unique index findings_subject on findings (check_id, subject) where state <> 'superseded';
    create table aliases (
        new text primary key,
        old text not null
    ) without rowid;
    create table exposures (
        subject text primary key,
        first_exposed text not null
    ) without rowid;
",
    "
    alter table runs add column summary text;
    alter table runs add column root text;
    create table tickets (
        finding text not null,
        tracker text not null,
        key text,
        open integer not null,
        content text not null,
        at text not null,
        primary key (finding, tracker)
    ) without rowid;

    create table past (
        subject text not null,
        at text not null,
        expires text,
        owner text,
        team text,
        secret text,
        approved_at text,
        primary key (subject, at)
    ) without rowid;
",
];

/// Brings a ledger of this version up to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or(0);
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited.
    let now: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if now == from {
        for step in STEPS.iter().skip(done) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}
