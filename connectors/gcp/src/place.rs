//! Where something is: the names of projects, folders, organisations and resources.

/// The place that a full or short resource name means: `project/acme`, `folder/1`,
/// `organization/2`, `account/<mail>` for a service account, else the name itself.
pub(crate) fn of_name(name: &str) -> String {
    let short = name
        .strip_prefix("//cloudresourcemanager.googleapis.com/")
        .unwrap_or(name);
    let rest = short.strip_prefix("//iam.googleapis.com/").unwrap_or(short);
    if let Some((_, account)) = rest.split_once("/serviceAccounts/")
        && !account.contains('/')
    {
        return format!("account/{account}");
    }
    for (plural, word) in [
        ("projects/", "project"),
        ("folders/", "folder"),
        ("organizations/", "organization"),
    ] {
        if let Some(id) = short.strip_prefix(plural)
            && !id.is_empty()
            && !id.contains('/')
        {
            return format!("{word}/{id}");
        }
    }
    name.to_owned()
}

/// The place that a file's name tells for a policy that names none: `project-acme.json`,
/// `folder-1.json`, `organization-2.json`, `service-account-<mail>.json`, also as folders
/// (`project/acme.json`), with a word of one's own behind a dot (`project-acme.iam.json`).
pub(crate) fn of_file(shown: &str) -> Option<String> {
    let mut parts: Vec<&str> = shown.rsplit(['/', '\\']).collect();
    let file = parts.first_mut()?;
    *file = file.strip_suffix(".json").unwrap_or(file);
    *file = file.strip_suffix(".iam").unwrap_or(file);
    let words: &[(&str, &str)] = &[
        ("service-account", "account"),
        ("serviceaccount", "account"),
        ("organization", "organization"),
        ("org", "organization"),
        ("folder", "folder"),
        ("project", "project"),
    ];
    let file = *parts.first()?;
    let found = words.iter().find_map(|(word, place)| {
        let rest = file.strip_prefix(word)?;
        let id = rest.strip_prefix(['-', '_', '.'])?;
        (!id.is_empty()).then(|| format!("{place}/{id}"))
    });
    found.or_else(|| {
        let folder = parts.get(1)?;
        let (_, place) = words
            .iter()
            .find(|(word, _)| folder.strip_suffix('s').unwrap_or(folder) == *word)?;
        Some(format!("{place}/{file}"))
    })
}

/// The project in a resource name: `acme` of `projects/acme/serviceAccounts/…`.
pub(crate) fn project_in(name: &str) -> Option<&str> {
    let at = name.find("projects/")?;
    let rest = &name[at + "projects/".len()..];
    let project = rest.split('/').next()?;
    (!project.is_empty() && project != "-").then_some(project)
}

/// The project in a service account's mail.
pub(crate) fn project_of_mail(mail: &str) -> Option<&str> {
    let (name, host) = mail.split_once('@')?;
    host.strip_suffix(".iam.gserviceaccount.com")
        .or_else(|| (host == "appspot.gserviceaccount.com").then_some(name))
}

/// The number of the project in the mail of an account that Google makes for it:
/// `123-compute@developer.gserviceaccount.com`, `123@cloudbuild.gserviceaccount.com`.
pub(crate) fn number_of_mail(mail: &str) -> Option<&str> {
    let (name, _) = mail.split_once('@')?;
    let name = name.strip_suffix("-compute").unwrap_or(name);
    let name = name.strip_prefix("service-").unwrap_or(name);
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{of_file, of_name, project_in, project_of_mail};

    #[test]
    fn names_mean_places() {
        let cases = [
            (
                "//cloudresourcemanager.googleapis.com/projects/acme",
                "project/acme",
            ),
            ("projects/12", "project/12"),
            ("folders/3", "folder/3"),
            ("organizations/4", "organization/4"),
            (
                "//iam.googleapis.com/projects/acme/serviceAccounts/a@b",
                "account/a@b",
            ),
            (
                "//storage.googleapis.com/bucket",
                "//storage.googleapis.com/bucket",
            ),
        ];
        for (name, place) in cases {
            assert_eq!(of_name(name), place);
        }
        assert_eq!(
            of_file("x/project-acme-prod.json").as_deref(),
            Some("project/acme-prod")
        );
        assert_eq!(
            of_file("x/projects/acme.iam.json").as_deref(),
            Some("project/acme")
        );
        assert_eq!(of_file("org-7.json").as_deref(), Some("organization/7"));
        assert_eq!(
            of_file("service-account-a@b.json").as_deref(),
            Some("account/a@b")
        );
        assert_eq!(of_file("policy.json"), None);
        assert_eq!(project_in("projects/a/serviceAccounts/x"), Some("a"));
        assert_eq!(project_in("projects/-/serviceAccounts/x"), None);
        assert_eq!(
            project_of_mail("x@acme.iam.gserviceaccount.com"),
            Some("acme")
        );
        assert_eq!(
            project_of_mail("acme@appspot.gserviceaccount.com"),
            Some("acme")
        );
    }
}
