//! Copies the last report into benches/README.md.

use std::fs;
use std::path::Path;

/// The lines around the table in benches/README.md.
const BEGIN: &str = "<!-- the table: written by `cargo bench --bench tillbook -- --publish` -->\n";
const END: &str = "<!-- the end of the table -->";

/// Replaces the table in benches/README.md, and the plot beside it.
pub fn publish(table: &str, plot: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let readme = folder.join("README.md");
    let text = fs::read_to_string(&readme).expect("benches/README.md is there");
    let (before, rest) = text.split_once(BEGIN).expect("benches/README.md has a place for it");
    let (_, after) = rest.split_once(END).expect("the place ends");
    let text = format!("{before}{BEGIN}{table}{END}{after}");
    fs::write(readme, text).expect("benches/README.md can be written");
    fs::write(folder.join("figures.svg"), plot).expect("benches/ can be written");
}
