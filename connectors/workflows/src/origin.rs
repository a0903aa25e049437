//! Where a repository comes from: host and path, from its configuration.

use keymuster_api::scope;

/// A repository's home: `github.com`, `acme/app`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The host's name.
    pub(crate) host: String,
    /// The path below it, without `.git`.
    pub(crate) path: String,
}

impl Origin {
    /// The home that a URL names: `https://host/a/b.git`, `git@host:a/b.git`.
    pub(crate) fn of_url(url: &str) -> Option<Origin> {
        let url = url.trim();
        let (host, path) = match url.split_once("://") {
            Some(("https" | "http" | "ssh" | "git" | "git+ssh", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            None => url
                .split_once(':')
                .filter(|(host, _)| !host.contains('/'))?,
        };
        let host = host.rsplit('@').next().unwrap_or(host);
        let host = host.split(':').next().unwrap_or(host);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        (host.len() > 1 && !path.is_empty()).then(|| Origin {
            host: host.to_ascii_lowercase(),
            path: path.to_owned(),
        })
    }

    /// The home that a repository's configuration names: that of `origin`, else the first.
    pub(crate) fn of_config(text: &[u8]) -> Option<Origin> {
        let text = String::from_utf8_lossy(text);
        let (mut section, mut first) = (String::new(), None);
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with('[') {
                section = line.to_ascii_lowercase();
            } else if section.starts_with("[remote ")
                && let Some((key, value)) = line.split_once('=')
                && key.trim().eq_ignore_ascii_case("url")
                && let Some(origin) = Origin::of_url(value.trim().trim_matches('"'))
            {
                if section.contains("\"origin\"") {
                    return Some(origin);
                }
                first = first.or(Some(origin));
            }
        }
        first
    }

    /// The scope of the repository itself, or of an environment of it.
    pub(crate) fn scope(&self, environment: Option<&str>) -> String {
        scope(&self.host, &self.path, environment)
    }

    /// The scopes of the folders above: `acme/group`, `acme`.
    pub(crate) fn above(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut path = self.path.as_str();
        while let Some((folder, _)) = path.rsplit_once('/') {
            all.push(scope(&self.host, folder, None));
            path = folder;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn homes_are_read_from_urls_and_configurations() {
        for (url, home) in [
            (
                "https://github.com/acme/app.git",
                Some(("github.com", "acme/app")),
            ),
            (
                "https://x:tok@GitHub.com/acme/app",
                Some(("github.com", "acme/app")),
            ),
            ("git@gitlab.com:g/s/p.git", Some(("gitlab.com", "g/s/p"))),
            (
                "ssh://git@ghe.acme.test:2222/a/b.git",
                Some(("ghe.acme.test", "a/b")),
            ),
            ("../mirror/app.git", None),
            ("file:///srv/app.git", None),
            ("C:/repos/app", None),
        ] {
            let found = Origin::of_url(url);
            let found = found.as_ref().map(|o| (o.host.as_str(), o.path.as_str()));
            assert_eq!(found, home, "{url}");
        }
        let config = b"[remote \"up\"]\n url = https://github.com/a/b\n[remote \"origin\"]\n\turl = https://gitlab.com/g/s/p\n";
        let origin = Origin::of_config(config).expect("origin");
        assert_eq!(origin.scope(Some("Prod")), "gitlab:g/s/p@Prod");
        assert_eq!(origin.above(), ["gitlab:g/s", "gitlab:g"]);
    }
}
