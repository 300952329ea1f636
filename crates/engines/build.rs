//! Finds the engines: every folder below `src/secrets` and `src/auth` is one, so that a new engine is one folder and no
//! edit anywhere else.
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let mut modules = String::new();
    let mut engines = String::new();
    for class in ["secrets", "auth"] {
        let folder = Path::new(&root).join("src").join(class);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut names: Vec<String> = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok())
            .filter(|entry| entry.path().join("mod.rs").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        writeln!(modules, "/// The `{class}` engines.\npub mod {class} {{").expect("writing to a string");
        for name in &names {
            let path = folder.join(name).join("mod.rs");
            writeln!(modules, "    #[path = {path:?}]\n    pub mod {name};").expect("writing to a string");
            // A folder that serves several types exports all of them.
            let several =
                fs::read_to_string(&path).expect("an engine's module can be read").contains("pub fn engines()");
            println!("cargo::rerun-if-changed={}", path.display());
            let export = if several {
                format!("        {class}::{name}::engines(),")
            } else {
                format!(
                    "        vec![std::sync::Arc::new({class}::{name}::engine()) as std::sync::Arc<dyn engine::Engine>],"
                )
            };
            writeln!(engines, "{export}").expect("writing to a string");
        }
        modules.push_str("}\n");
    }
    let all = format!(
        "{modules}\n/// Every engine of this binary.\npub fn all() -> Vec<std::sync::Arc<dyn engine::Engine>> {{\n    let all: Vec<Vec<std::sync::Arc<dyn engine::Engine>>> = vec![\n{engines}    ];\n    all.into_iter().flatten().collect()\n}}\n"
    );
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("all.rs"), all).expect("the output folder can be written");
}
