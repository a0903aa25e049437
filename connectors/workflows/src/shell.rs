//! Variables in scripts: `$X`, `${X}`, `$env:X`, `%X%`.
//!
//! A variable may be a slot's, or the machine's own, or the script's: so every use that is
//! found here is uncertain. Single-quoted text is not looked at, and neither are names that
//! the script sets, or that every shell and the platform know.

use std::collections::BTreeSet;

use keymuster_api::{Key, SlotUse};

use crate::file::{File, Says as _};

/// What shells, machines and every platform have of their own.
const COMMON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "PWD",
    "OLDPWD",
    "SHELL",
    "LANG",
    "TERM",
    "HOSTNAME",
    "IFS",
    "RANDOM",
    "TMPDIR",
    "TEMP",
    "TMP",
    "UID",
    "EUID",
    "SECONDS",
    "LINENO",
    "PIPESTATUS",
    "CI",
    "DISPLAY",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "JAVA_HOME",
    "GOPATH",
    "GOROOT",
    "NODE_ENV",
    "EDITOR",
    "OPTARG",
    "OPTIND",
    "BASHPID",
    "FUNCNAME",
    "REPLY",
    "LASTEXITCODE",
    "LOGNAME",
    "MAIL",
    "PS1",
    "PPID",
];
const COMMON_PREFIXES: &[&str] = &["BASH_", "LC_", "XDG_"];

/// The variables of a script, with the line (from 0) of each one's first use.
pub(crate) fn variables(text: &str) -> Vec<(&str, u32)> {
    let bytes = text.as_bytes();
    let mut all: Vec<(&str, u32)> = Vec::new();
    let mut known = BTreeSet::new();
    let (mut line, mut at) = (0, 0);
    let (mut single, mut double) = (false, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => {
                line += 1;
                // A quote that is still open at the end of a line was an apostrophe, mostly.
                single = false;
            }
            b'\\' => at += 1,
            b'\'' if !double => single = !single,
            b'"' if !single => double = !double,
            b'$' if !single => {
                let mut from = at + 1;
                if bytes.get(from) == Some(&b'$') {
                    at += 2;
                    continue;
                }
                if bytes.get(from) == Some(&b'{') {
                    from += 1;
                    from += usize::from(bytes.get(from) == Some(&b'#'));
                    from += usize::from(bytes.get(from) == Some(&b'!'));
                }
                let rest = &bytes[from..];
                if rest.len() > 4 && rest[..4].eq_ignore_ascii_case(b"env:") {
                    from += 4;
                }
                let name = name_at(text, from);
                if !name.is_empty() && known.insert(name) {
                    all.push((name, line));
                }
                at = from + name.len();
                continue;
            }
            b'%' if !single => {
                let name = name_at(text, at + 1);
                let end = at + 1 + name.len();
                if name.len() > 2 && bytes.get(end) == Some(&b'%') && is_upper(name) {
                    if known.insert(name) {
                        all.push((name, line));
                    }
                    at = end;
                }
            }
            _ => {}
        }
        at += 1;
    }
    all
}

fn name_at(text: &str, from: usize) -> &str {
    let rest = text.get(from..).unwrap_or("");
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return "";
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &rest[..end.unwrap_or(rest.len())]
}

fn is_upper(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// The names that a script sets itself.
pub(crate) fn assigned(text: &str) -> BTreeSet<&str> {
    let mut all = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split(|c: char| c.is_whitespace() || c == ';' || c == '(');
        let mut previous = "";
        for word in &mut words {
            let name = name_at(word, 0);
            let rest = &word[name.len()..];
            let sets = rest.starts_with('=') || rest.starts_with("+=");
            let itself = rest.contains(&format!("${name}")) || rest.contains(&format!("${{{name}"));
            let takes = rest.is_empty() && matches!(previous, "for" | "read" | "local" | "-r");
            if !name.is_empty() && ((sets && !itself) || takes) {
                all.insert(name);
            }
            if !word.is_empty() {
                previous = word;
            }
        }
    }
    all
}

/// Where the variables of scripts come from.
#[derive(Debug, Clone)]
pub(crate) struct Scripts<'a> {
    /// The kind of store that fills them.
    pub(crate) store: &'static str,
    /// Where in it.
    pub(crate) scopes: Vec<String>,
    /// Names that the pipeline itself sets.
    pub(crate) own: BTreeSet<String>,
    /// Beginnings of names that the platform sets.
    pub(crate) built_in: &'a [&'a str],
}

impl Scripts<'_> {
    /// Whether a name may be a slot's.
    pub(crate) fn may_be(&self, name: &str) -> bool {
        let begins = |all: &[&str]| all.iter().any(|begin| name.starts_with(begin));
        !COMMON.contains(&name)
            && !begins(COMMON_PREFIXES)
            && !begins(self.built_in)
            && !self.own.contains(name)
            && name.len() > 1
            && is_upper(name)
    }

    /// The uses in a text that begins at a line.
    pub(crate) fn uses(
        &self,
        file: &File<'_>,
        by: &Key,
        (text, line): (&str, u32),
        how: &str,
        out: &mut Vec<SlotUse>,
    ) {
        let set = assigned(text);
        for (name, below) in variables(text) {
            if self.may_be(name) && !set.contains(name) {
                let use_ = file.named(by, self.store, name, (how, line + below));
                out.push(use_.within(self.scopes.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{assigned, variables};

    #[test]
    fn variables_are_found_where_a_shell_would_look() {
        let found = variables(
            "echo $TOKEN ${KEY:-x} \"${A_B}\" '$NOT' \\$NOR $$PID $1\ncurl -u \"x:$PASS\" $env:PS %WIN% 100%\n",
        );
        assert_eq!(
            found,
            [
                ("TOKEN", 0),
                ("KEY", 0),
                ("A_B", 0),
                ("PASS", 1),
                ("PS", 1),
                ("WIN", 1)
            ]
        );
    }

    #[test]
    fn what_a_script_sets_is_its_own() {
        let set = assigned("export A=1; B=$(x)\nfor C in a b; do read -r D; done\nE=${E:-x} F==2");
        assert_eq!(
            set.into_iter().collect::<Vec<_>>(),
            ["A", "B", "C", "D", "F"]
        );
    }
}
