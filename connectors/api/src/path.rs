//! What a path says about its content: the one definition, for whoever searches (a verdict may
//! differ by class) and for whoever judges (a secret of a test is no leak).

use crate::PathClass;

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
    "sftp.json",
    "-config.json",
    "/config.json",
    "settings.xml",
    "wp-config.php",
    "/config.php",
    ".ftpconfig",
    ".remote-sync.json",
    "servers.xml",
    "sitemanager.xml",
    "data-sources.xml",
    ".esmtprc",
    ".msmtprc",
];

impl PathClass {
    /// The class of a path. The order of the questions decides: a lock file under `tests/` is
    /// generated, a `.env` under `tests/` is a test.
    pub fn of(path: &[u8]) -> PathClass {
        let path = String::from_utf8_lossy(path).to_ascii_lowercase();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        if GENERATED_NAMES.contains(&name) || ends(GENERATED_SUFFIXES) {
            PathClass::Generated
        } else if is_test(folders, name) {
            PathClass::Test
        } else if ends(CONFIG_SUFFIXES)
            || name.starts_with(".env")
            || matches!(name, "credentials" | "config")
        {
            PathClass::Config
        } else if ends(DOC_SUFFIXES)
            || begins(&["changelog", "readme", "changes"])
            || name.ends_with(".txt") && is_written(folders, name)
        {
            PathClass::Docs
        } else {
            PathClass::Plain
        }
    }

    /// Whether a path is that of tests, fixtures or examples, whatever its class.
    pub fn is_test(path: &[u8]) -> bool {
        let path = String::from_utf8_lossy(path).to_ascii_lowercase();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        is_test(folders, name)
    }
}

/// Whether a text file is documentation, not somebody's notes.
fn is_written(folders: &str, name: &str) -> bool {
    const NAMES: &[&str] = &[
        "readme",
        "license",
        "licence",
        "copying",
        "notice",
        "authors",
        "contribut",
        "news",
        "install",
        "history",
        "release",
        "relnotes",
        "todo",
        "faq",
        "rfc",
        "thirdparty",
        "third-party",
        "third_party",
        "acknowledg",
        "security",
        "manifest",
    ];
    const FOLDERS: &[&str] = &[
        "doc",
        "docs",
        "documentation",
        "guide",
        "guides",
        "man",
        "rfcs",
    ];
    NAMES.iter().any(|start| name.starts_with(start))
        || folders.split('/').any(|folder| FOLDERS.contains(&folder))
}

fn is_test(folders: &str, name: &str) -> bool {
    let mut folders = folders.split('/');
    folders.any(|folder| TEST_FOLDERS.contains(&folder)) || is_test_name(name)
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
    use crate::PathClass::{self, Config, Docs, Generated, Plain, Test};

    #[test]
    fn paths_tell_their_class() {
        for (path, class) in [
            ("src/main.c", Plain),
            ("latest.c", Plain),
            ("src/test/java/A.java", Test),
            ("tests/package-lock.json", Generated),
            ("web/app.min.js", Generated),
            ("README.md", Docs),
            ("passwords.txt", Plain),
            ("LICENSE.txt", Docs),
            ("docs/api/keys.txt", Docs),
            ("deploy/.env", Config),
            (".env.production", Config),
            (".env.example", Test),
            ("config/database.yml", Config),
            ("pkg/server_test.go", Test),
            ("src/UserServiceTest.java", Test),
            ("a/__mocks__/b.js", Test),
            ("src/app.test.ts", Test),
            ("src/latest/keys.py", Plain),
            ("contest/a.py", Plain),
            ("attestation.go", Plain),
            ("src/testing.md", Docs),
        ] {
            assert_eq!(PathClass::of(path.as_bytes()), class, "{path}");
        }
    }
}
