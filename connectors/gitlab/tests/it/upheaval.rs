//! What happens to projects in mid-sweep, and lists of many pages.

use std::time::{Duration, Instant};

use keymuster_api::GapKind;
use keymuster_gitlab::{Values, countable};
use keymuster_simulator::Change;

use crate::world::{World, acme, list, project, quiet};

/// The call after which a sweep has listed its projects.
fn listed() -> u64 {
    let world = World::new(acme());
    world.sweep(&|_| {});
    let asked = world.host().asked();
    let at = asked
        .iter()
        .rposition(|asked| asked.path().ends_with("/groups/acme/projects"));
    at.expect("projects are listed") as u64 + 1
}

#[test]
fn a_project_that_went_in_mid_sweep_is_one_gap() {
    let after = listed();
    let mut host = acme();
    host.changes = vec![Change {
        after,
        path: "/api/v4/projects/12".to_owned(),
        to: None,
    }];
    host.variables.remove("acme/team/api");
    let told = World::new(host).sweep(&|_| {});
    let gaps: Vec<_> = told
        .gaps
        .iter()
        .filter(|gap| gap.subject.contains("acme/team/api"))
        .collect();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert_eq!(gaps[0].kind, GapKind::Missing);
    assert_eq!(told.count("127.0.0.1:acme/team/api", "deploy keys"), None);
    assert_eq!(
        told.count("127.0.0.1:acme/web", "deploy keys"),
        Some((Some(1), 1, true))
    );
}

#[test]
fn a_project_that_was_renamed_in_mid_sweep_is_read_by_its_number() {
    let whole = World::new(acme()).sweep(&|_| {});
    let mut host = acme();
    // The query goes by the path, which is another one now.
    host.variables.remove("acme/web");
    let told = World::new(host).sweep(&|_| {});
    assert_eq!(told.slots, whole.slots);
    assert_eq!(told.coverage, whole.coverage);
    // Or the host sends one on.
    let mut host = acme();
    for what in ["deploy_keys", "hooks", "variables"] {
        let route = host
            .routes
            .remove(&format!("/projects/11/{what}"))
            .expect("a route");
        host.routes.insert(format!("/moved/11/{what}"), route);
        host.changes.push(Change {
            after: 0,
            path: format!("/api/v4/projects/11/{what}"),
            to: Some(format!("/api/v4/moved/11/{what}")),
        });
    }
    let told = World::new(host).sweep(&|spec| spec.values = Values::Fingerprint);
    assert_eq!(told.coverage, whole.coverage);
}

#[test]
fn projects_are_listed_whole_over_many_pages() {
    let mut host = acme();
    let many: Vec<_> = (1..=250)
        .map(|n| {
            let path = format!("acme/p{n:03}");
            quiet(&mut host, 1000 + n, &path);
            project(1000 + n, &path)
        })
        .collect();
    host.routes
        .insert("/groups/acme/projects".to_owned(), list(many));
    let world = World::new(host);
    let told = world.sweep(&|_| {});
    assert_eq!(
        told.count("127.0.0.1:acme", "repositories"),
        Some((Some(250), 250, true))
    );
    assert_eq!(told.leads.len(), 250);
    let pages: Vec<String> = world
        .host()
        .asked()
        .iter()
        .filter(|asked| asked.path().ends_with("/groups/acme/projects"))
        .filter_map(|asked| Some(asked.parameter("id_after")?.to_owned()))
        .collect();
    assert_eq!(
        pages,
        ["1100", "1200", "1250"],
        "page by page behind the last id"
    );
}

#[test]
fn fifty_thousand_projects_are_listed_page_by_page() {
    let mut host = acme();
    let many = (1..=50_000u64).map(|n| project(1000 + n, &format!("acme/p{n:05}")));
    host.routes
        .insert("/groups/acme/projects".to_owned(), list(many.collect()));
    let world = World::new(host);
    let began = Instant::now();
    let told = world.sweep(&|spec| {
        let words = countable().into_iter().map(str::to_owned);
        spec.leave_out = words.filter(|word| word != "repositories").collect();
        spec.instance = false;
    });
    assert_eq!(
        told.count("127.0.0.1:acme", "repositories"),
        Some((Some(50_000), 50_000, true))
    );
    assert_eq!(told.leads.len(), 50_000);
    // A hundred to a page, the last of which is empty; nothing is asked of each. One query
    // settles how variables would be read.
    assert_eq!(world.host().calls(), 502);
    assert!(
        began.elapsed() < Duration::from_secs(300),
        "{:?}",
        began.elapsed()
    );
}
