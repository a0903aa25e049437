//! Embeds `rules/detect/*.toml`, sorted by name, so that adding a rule file needs no line here.

use std::{env, fmt::Write as _, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = root.join("rules/detect");
    println!("cargo::rerun-if-changed=rules/detect");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    files.sort();
    let mut code = String::from("pub(super) const FILES: &[(&str, &str)] = &[\n");
    for path in files {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        println!("cargo::rerun-if-changed=rules/detect/{name}");
        writeln!(
            code,
            "    (\"rules/detect/{name}\", include_str!(\"{}\")),",
            path.display().to_string().escape_default()
        )?;
    }
    code.push_str("];\n");
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("rule_files.rs"),
        code,
    )?;
    Ok(())
}
