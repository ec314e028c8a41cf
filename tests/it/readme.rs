//! README's commands for a book of one's own, pasted as they are.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::process::{Served, command};

/// Lines that the test does itself: the build, and the server, which it starts on a free port.
const DONE_HERE: [&str; 2] = ["cargo install", "tillbook serve"];

const LISTEN: &str = "http://127.0.0.1:8080";

#[test]
fn the_commands_of_readme_record_a_capture_as_they_are() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("## A book of your own").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let all: String = blocks.collect();
    let is_ours = |line: &&str| !DONE_HERE.iter().any(|done| line.starts_with(done));
    let script: Vec<&str> = all.lines().filter(is_ours).collect();
    assert_eq!(script.len() + DONE_HERE.len(), all.lines().count());
    let dir = tempfile::tempdir().unwrap();
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--log", "warn"], &[]);
    let served = Served::try_start({
        serve.current_dir(dir.path());
        serve
    });
    let served = served.unwrap();
    let script = script.join("\n");
    assert!(script.contains(LISTEN));
    let bin = Path::new(env!("CARGO_BIN_EXE_tillbook")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-euc", &script.replace(LISTEN, &served.url)]);
    let done = shell.current_dir(dir.path()).env("PATH", path).output().unwrap();
    let (out, err) =
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}{err}");
    let capture: Value = serde_json::from_str(out.lines().last().unwrap()).expect(&out);
    assert_eq!((&capture["amount"], &capture["success"]), (&39_800.into(), &true.into()), "{out}");
}
