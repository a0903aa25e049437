//! What happens to repositories in mid-sweep, and how many there may be.

use std::time::{Duration, Instant};

use keymuster_api::GapKind;
use keymuster_github::countable;
use keymuster_simulator::Change;
use serde_json::json;

use crate::world::{World, acme, list};

/// The call after which a sweep has listed its repositories.
fn listed() -> u64 {
    let world = World::new(acme());
    world.sweep(&|_| {});
    let asked = world.host.asked();
    let at = asked
        .iter()
        .position(|asked| asked.path() == "/orgs/acme/repos");
    at.expect("repositories are listed") as u64 + 1
}

#[test]
fn a_repository_that_went_or_moved_after_it_was_listed_costs_itself_or_nothing() {
    let whole = World::new(acme()).sweep(&|_| {});
    let mut host = acme();
    host.changes = vec![Change {
        after: listed(),
        path: "/repos/acme/api".to_owned(),
        to: None,
    }];
    let told = World::new(host).sweep(&|_| {});
    let of = |gap: &&keymuster_api::Gap| gap.subject.contains("acme/api");
    let gone: Vec<_> = told.gaps.iter().filter(of).collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].kind, GapKind::Missing);
    let web = |told: &keymuster_support::Told| told.count("127.0.0.1:acme/web", "deploy keys");
    assert_eq!(web(&told), web(&whole));
    // Renamed: the host sends one on to the number.
    let mut host = acme();
    let routes: Vec<(String, keymuster_simulator::Route)> = host
        .routes
        .iter()
        .filter(|(path, _)| path.starts_with("/repos/acme/web"))
        .map(|(path, route)| {
            (
                path.replace("/repos/acme/web", "/repositories/7"),
                route.clone(),
            )
        })
        .collect();
    host.routes.extend(routes);
    host.changes = vec![Change {
        after: listed(),
        path: "/repos/acme/web".to_owned(),
        to: Some("/repositories/7".to_owned()),
    }];
    let told = World::new(host).sweep(&|_| {});
    assert_eq!(told.coverage, whole.coverage);
    assert_eq!(told.slots, whole.slots);
}

#[test]
fn fifty_thousand_repositories_are_listed_page_by_page() {
    let mut host = acme();
    let many = (0..50_000).map(|n| {
        json!({"name": format!("r{n:05}"), "full_name": format!("acme/r{n:05}"), "private": true, "archived": false})
    });
    host.routes
        .insert("/orgs/acme/repos".to_owned(), list(many.collect()));
    let world = World::new(host);
    let began = Instant::now();
    let told = world.sweep(&|spec| {
        let words = countable().into_iter().map(str::to_owned);
        spec.leave_out = words.filter(|word| word != "repositories").collect();
        spec.patience.pages = 1000;
    });
    assert_eq!(
        told.count("127.0.0.1:acme", "repositories"),
        Some((Some(50_000), 50_000, true))
    );
    assert_eq!(told.leads.len(), 50_000);
    assert_eq!(told.gaps, []);
    // A hundred to a page, and nothing is asked of each.
    assert_eq!(world.host.calls(), 500);
    assert!(
        began.elapsed() < Duration::from_secs(300),
        "{:?}",
        began.elapsed()
    );
}
