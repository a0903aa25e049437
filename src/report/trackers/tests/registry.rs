//! The list of trackers, and what counts as a change.

use std::{collections::BTreeSet, fs, path::Path};

use crate::ledger::{Act, Step};
use crate::report::{Job, Rights, TRACKERS, content, samples, tracker};

#[test]
fn every_file_is_registered_under_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/trackers");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().replace('_', "-"))
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| name != "mod")
        .collect();
    let names: BTreeSet<String> = TRACKERS.iter().map(|one| one.name().to_owned()).collect();
    assert_eq!(files, names);
    assert!(tracker("bugzilla").is_none());
    for one in TRACKERS {
        assert!(one.files(&[], Rights::User).is_empty(), "{}", one.about());
    }
}

#[test]
fn what_changes_by_itself_is_no_content() {
    let finding = samples::document().findings.remove(0);
    let mut later = finding.clone();
    later.title = "An access key of 501 days".to_owned();
    later.last_seen = "2027-01-01T00:00:00Z".to_owned();
    later.state = "open".to_owned();
    later.evidence.clear();
    assert_eq!(content(&finding), content(&later));
    later.owner = Some("somebody else".to_owned());
    assert_ne!(content(&finding), content(&later));
}

/// What an administrator may import at once, and what everybody may.
#[test]
fn files_end_where_the_importer_ends() {
    let finding = samples::document().findings.remove(0);
    let step = Step {
        act: Act::Create,
        finding: finding.finding_id.clone(),
        key: None,
        why: String::new(),
    };
    let job = Job {
        step: &step,
        finding: &finding,
    };
    let sizes = |name: &str, count: usize, rights| -> Vec<usize> {
        let files = tracker(name)
            .expect("a tracker")
            .files(&vec![job; count], rights);
        files.iter().map(|file| file.jobs.len()).collect()
    };
    assert_eq!(sizes("jira", 251, Rights::User), [250, 1]);
    assert_eq!(sizes("jira", 10_001, Rights::Administrator), [10_000, 1]);
    assert_eq!(sizes("azure-devops", 1_001, Rights::User), [1_000, 1]);
    assert_eq!(sizes("servicenow", 10_001, Rights::User), [10_001]);
    // Nothing that updates may stand in a file without its key: it would create.
    let update = Step {
        act: Act::Update,
        ..step.clone()
    };
    let job = Job {
        step: &update,
        finding: &finding,
    };
    let doc = samples::document();
    for name in ["jira", "azure-devops"] {
        let one = tracker(name).expect("a tracker");
        let file = one.files(&[job], Rights::User).remove(0);
        let mut bytes = Vec::new();
        one.write(&doc, &file, &mut bytes).expect("memory");
        assert!(one.check(&file, &bytes).is_err(), "{name}");
    }
}
