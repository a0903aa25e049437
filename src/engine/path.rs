//! What a path says about its content.

use keymuster_api::PathClass;

/// Directory names that hold tests, fixtures and examples.
const TEST_FOLDERS: &[&str] = &[
    "t",
    "test",
    "tests",
    "testing",
    "testdata",
    "test-data",
    "test_data",
    "testsuite",
    "spec",
    "specs",
    "fixture",
    "fixtures",
    "example",
    "examples",
    "sample",
    "samples",
    "mock",
    "mocks",
    "__tests__",
    "__mocks__",
    "__fixtures__",
    "demo",
    "demos",
    "e2e",
];

const GENERATED_NAMES: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "cargo.lock",
    "composer.lock",
    "gemfile.lock",
    "poetry.lock",
    "pipfile.lock",
    "go.sum",
    "go.work.sum",
    "flake.lock",
    "packages.lock.json",
    "mix.lock",
    "podfile.lock",
    "uv.lock",
    "bun.lock",
    "gradle.lockfile",
    "checksums",
    "sha256sums",
    "sha1sums",
    "md5sums",
];

const GENERATED_SUFFIXES: &[&str] = &[
    ".min.js",
    ".min.css",
    ".bundle.js",
    ".map",
    ".sum",
    ".sha256",
    ".sha512",
    ".sha1",
    ".md5",
    ".svg",
    ".crt",
    ".cer",
    ".lock",
    ".css",
    ".ipa",
    ".dic",
    ".po",
    ".pot",
    ".csproj",
    ".sln",
    ".patch.lock",
    ".snap",
];

const DOC_SUFFIXES: &[&str] = &[
    ".md",
    ".markdown",
    ".rst",
    ".adoc",
    ".asciidoc",
    ".txt",
    ".html",
    ".htm",
    ".tex",
    ".texi",
    ".pod",
    ".rdoc",
    ".textile",
];

const CONFIG_SUFFIXES: &[&str] = &[
    ".env",
    ".ini",
    ".cfg",
    ".conf",
    ".config",
    ".properties",
    ".toml",
    ".yaml",
    ".yml",
    ".tfvars",
    ".cnf",
    ".prefs",
    ".credentials",
    ".npmrc",
    ".netrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".s3cfg",
    ".boto",
    ".dockercfg",
    ".gitconfig",
];

/// The class of a path. The order of the questions decides: a lock file under `tests/` is
/// generated, a `.env` under `tests/` is a test.
pub fn classify(path: &[u8]) -> PathClass {
    let path = String::from_utf8_lossy(path).to_ascii_lowercase();
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if GENERATED_NAMES.contains(&name)
        || GENERATED_SUFFIXES
            .iter()
            .any(|suffix| name.ends_with(suffix))
    {
        return PathClass::Generated;
    }
    if folders
        .split('/')
        .any(|folder| TEST_FOLDERS.contains(&folder))
        || is_test_name(name)
    {
        return PathClass::Test;
    }
    if CONFIG_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        || name.starts_with(".env")
        || name == "credentials"
        || name == "config"
    {
        return PathClass::Config;
    }
    if DOC_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        || name.starts_with("changelog")
        || name.starts_with("readme")
        || name.starts_with("changes")
    {
        return PathClass::Docs;
    }
    PathClass::Plain
}

/// Whether a file name matches one of a rule's `names`: exact, or `*.suffix`.
pub(super) fn is_named(name: &[u8], names: &[super::rule_text::Text]) -> bool {
    names.iter().any(|wanted| match wanted.strip_prefix('*') {
        Some(suffix) => name.len() > suffix.len() && name.ends_with(suffix.as_bytes()),
        None => name == wanted.as_bytes(),
    })
}

fn is_test_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem.ends_with("-test")
        || (stem.len() > 4
            && (stem.ends_with("test") || stem.ends_with("tests"))
            && !stem.ends_with("latest"))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".example")
        || name.contains(".sample")
        || name.contains(".template")
}

#[cfg(test)]
mod tests {
    use keymuster_api::PathClass::{Config, Docs, Generated, Plain, Test};

    use super::classify;

    #[test]
    fn paths_tell_their_class() {
        for (path, class) in [
            ("src/main.c", Plain),
            ("latest.c", Plain),
            ("src/test/java/A.java", Test),
            ("tests/package-lock.json", Generated),
            ("web/app.min.js", Generated),
            ("README.md", Docs),
            ("deploy/.env", Config),
            (".env.production", Config),
            (".env.example", Test),
            ("config/database.yml", Config),
            ("pkg/server_test.go", Test),
            ("src/UserServiceTest.java", Test),
        ] {
            assert_eq!(classify(path.as_bytes()), class, "{path}");
        }
    }
}
