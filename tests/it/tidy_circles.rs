//! Finds circles of imports: files that need each other, directly or through other files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::rust_paths::{self, Named};
use super::tidy::{files, root, without_tests};

/// The crates: their folders, and the root file of each.
const CRATES: [(&str, &str); 3] =
    [("src", "lib.rs"), ("benches/tillbook", "main.rs"), ("tests/it", "main.rs")];

/// The most re-exports that are followed to a name.
const REEXPORTS_MAX: usize = 20;

/// The words of a module's path below the root of its crate.
type ModulePath = Vec<String>;

/// The names that each file takes from each other file.
type Ties = BTreeMap<(ModulePath, ModulePath), BTreeSet<String>>;

/// A crate's files and the names in each.
struct Crate {
    folder: PathBuf,
    modules: BTreeMap<ModulePath, Module>,
}

struct Module {
    file: PathBuf,
    named: Named,
}

impl Crate {
    fn read(folder: &Path, root_file: &str) -> Crate {
        let mut modules = BTreeMap::new();
        for file in files(folder, "rs") {
            let inside = file.strip_prefix(folder).unwrap().with_extension("");
            let mut path: ModulePath =
                inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            let name = path.last().unwrap().clone();
            let is_root = inside.as_os_str() == Path::new(root_file).with_extension("").as_os_str();
            // Skips unit tests in files of their own, and a binary's root beside a library.
            if name.ends_with("_tests") || (path == ["main"] && !is_root) {
                continue;
            }
            if is_root || name == "mod" {
                path.pop();
            }
            let text = fs::read_to_string(&file).unwrap();
            let is_test = folder.components().any(|part| part.as_os_str() == "tests");
            let code = if is_test { &text } else { without_tests(&text) };
            modules.insert(path, Module { named: rust_paths::read(code), file });
        }
        Crate { folder: folder.to_owned(), modules }
    }

    /// A path in a module as a path from the root; `None` if it leads to another crate.
    fn absolute(&self, module: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let mut from = module;
                let mut rest = path;
                while rest.first().is_some_and(|word| word == "super") {
                    from = from.split_last()?.1;
                    rest = &rest[1..];
                }
                Some([from, rest].concat())
            }
            _ if self.modules.contains_key(&[module, &path[..1]].concat()) => {
                Some([module, path].concat())
            }
            _ if depth == REEXPORTS_MAX => None,
            _ => {
                let imports = &self.modules.get(module)?.named.imports;
                // `use serde::{self}` imports another crate under its own name.
                let import = imports.iter().find(|i| i.name == *first && i.path != path[..1])?;
                let start = self.absolute(module, &import.path, depth + 1)?;
                Some([&start[..], rest].concat())
            }
        }
    }

    /// The module that a path from the root leads to, through re-exports, and the name in it. The
    /// name is `None` if the path leads to the module itself.
    fn resolve(&self, path: &[String], depth: usize) -> Option<(ModulePath, Option<String>)> {
        let known = (0..=path.len()).rev().find(|end| self.modules.contains_key(&path[..*end]))?;
        let (module, rest) = path.split_at(known);
        let Some(name) = rest.first() else { return Some((module.to_vec(), None)) };
        let imports = &self.modules[module].named.imports;
        let Some(import) = imports.iter().find(|import| import.name == *name) else {
            return Some((module.to_vec(), Some(name.clone())));
        };
        if depth == REEXPORTS_MAX {
            return None;
        }
        let start = self.absolute(module, &import.path, depth + 1)?;
        self.resolve(&[&start[..], &rest[1..]].concat(), depth + 1)
    }

    fn ties(&self) -> Ties {
        let mut ties = Ties::new();
        for (path, module) in &self.modules {
            let imports = module.named.imports.iter().filter(|import| {
                // A re-export only passes a name on, unless the file uses the name itself.
                !import.is_public || module.named.words.contains(&import.name)
            });
            let imports = imports.map(|import| (&import.path, import.name == "*"));
            let paths = module.named.paths.iter().map(|path| (path, false));
            for (named, is_glob) in imports.chain(paths) {
                let Some(absolute) = self.absolute(path, named, 0) else { continue };
                let Some((to, name)) = self.resolve(&absolute, 0) else { continue };
                let name = if is_glob { Some("*".to_owned()) } else { name };
                // Importing a module is not a use of it; the paths that begin with its name are.
                let Some(name) = name else { continue };
                // The root file of a folder may name the files below it.
                if to.starts_with(path) {
                    continue;
                }
                ties.entry((path.clone(), to)).or_default().insert(name);
            }
        }
        ties
    }

    /// Every circle as its ties, one per line: `file -> file: names`.
    fn circles(&self) -> Vec<String> {
        let ties = self.ties();
        let mut reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> = BTreeMap::new();
        for module in self.modules.keys() {
            let mut found = BTreeSet::new();
            let mut waiting = vec![module];
            while let Some(from) = waiting.pop() {
                let next = ties.keys().filter(|(start, _)| start == from).map(|(_, to)| to);
                waiting.extend(next.filter(|to| found.insert(*to)));
            }
            reached.insert(module, found);
        }
        let is_tied =
            |a: &ModulePath, b: &ModulePath| reached[a].contains(b) && reached[b].contains(a);
        let mut circles: BTreeMap<BTreeSet<&ModulePath>, Vec<String>> = BTreeMap::new();
        for ((from, to), names) in &ties {
            if is_tied(from, to) {
                let circle = self.modules.keys().filter(|other| is_tied(from, other)).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let tie = format!("{} -> {}: {}", self.show(from), self.show(to), names.join(", "));
                circles.entry(circle).or_default().push(tie);
            }
        }
        circles.into_values().map(|lines| lines.join("\n")).collect()
    }

    fn show(&self, module: &ModulePath) -> String {
        self.modules[module].file.strip_prefix(&self.folder).unwrap().display().to_string()
    }
}

#[test]
fn no_circle_of_files_exists() {
    let circles: Vec<String> = CRATES
        .iter()
        .flat_map(|(folder, root_file)| {
            let circles = Crate::read(&root().join(folder), root_file).circles();
            circles.into_iter().map(move |circle| format!("in {folder}:\n{circle}"))
        })
        .collect();
    assert!(circles.is_empty(), "{} circles\n\n{}", circles.len(), circles.join("\n\n"));
}

#[test]
fn circles_are_found_through_groups_paths_and_re_exports() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("lib.rs", "mod order; pub mod room; mod apart;");
    write("order.rs", "use crate::room::{Table, chair::{self, Seat}}; fn show() { chair::sit() }");
    write("room/mod.rs", "mod chair; mod table; pub use table::Table; pub struct Door;");
    write("room/table.rs", "pub struct Table; fn print() { crate::order::show() }");
    write("room/chair.rs", "use super::Door; // super::super::order::show\npub struct Seat;");
    write("apart.rs", "use crate::order::Shown; #[cfg(test)] mod tests { use super::order; }");
    assert_eq!(
        Crate::read(dir.path(), "lib.rs").circles(),
        ["order.rs -> room/table.rs: Table\nroom/table.rs -> order.rs: show"]
    );
}
