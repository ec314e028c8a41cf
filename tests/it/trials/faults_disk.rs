//! Full and read-only disks: writes are refused with their reason, and nothing is lost.
//!
//! Where mounting file systems is not permitted, these tests print that and do nothing. The
//! writer's unit tests use a file that may not grow instead.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Stdio};

use super::load::Trial;
use super::sent::keys;
use super::stored::stored;
use super::{count, say};
use crate::audit;
use crate::http_client::health;
use crate::process::{path, run};

/// A small mounted file system, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let disk = SmallDisk(tempfile::tempdir().unwrap());
        let at = path(disk.path());
        let mounted = mount(&["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", at]);
        if !mounted {
            say("not tried: nothing may be mounted here; run it as root");
        }
        mounted.then_some(disk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, option: &str) {
        assert!(mount(&["-o", &format!("remount,{option}"), path(self.path())]));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let at = path(self.path());
        // Fails when nothing was mounted.
        drop(Command::new("umount").args(["-l", at]).stderr(Stdio::null()).status());
    }
}

fn mount(args: &[&str]) -> bool {
    let tried = Command::new("mount").args(args).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_refuses_writes_reads_go_on_and_it_resumes_with_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut trial = Trial::new_in(disk.path());
    let mut served = trial.start();
    let mut size_mb = 3;
    for round in 0..count("TILLBOOK_DISK_ROUNDS", 1) {
        let mut refused = Vec::new();
        for nth in 0_u32.. {
            let sent = keys(&format!("{round} {nth}"), 100);
            let answers = trial.capture(&served, &sent);
            assert_eq!(answers.len(), sent.len(), "a request got no answer");
            refused.extend(answers.into_iter().filter(|(_, reply)| reply.status != 200));
            if 200 < refused.len() {
                break;
            }
        }
        for (key, reply) in &refused {
            assert_eq!((reply.status, reply.code()), (503, "unavailable"), "{key}: {}", reply.text);
            assert_eq!(reply.header("retry-after"), Some("1"));
            assert!(reply.text.contains("disk is full"), "{}", reply.text);
        }
        served.shopping(&trial.token, "GET", &trial.order(), None).expect(200);
        let told = health(&served.url).expect(200);
        assert_eq!(told.body["warnings"][0], "disk_full", "{}", told.text);
        trial.expect_stored(&stored(&trial.db()));
        audit::expect_clean(&trial.db());
        say(&format!("{} recorded, {} refused", trial.done(), refused.len()));
        size_mb += 30;
        disk.remount(&format!("size={size_mb}m"));
        let again: Vec<String> = refused.into_iter().map(|(key, _)| key).collect();
        for (key, reply) in trial.capture(&served, &again) {
            assert_eq!(reply.status, 200, "{key} after there was room: {}", reply.text);
        }
        assert!(health(&served.url).expect(200).body.get("warnings").is_none());
        served.kill();
        served = trial.start();
        trial.expect_settled();
        size_mb = 3 + u32::try_from(used_mb(&disk)).unwrap();
        disk.remount(&format!("size={size_mb}m"));
    }
}

fn used_mb(disk: &SmallDisk) -> u64 {
    let files = std::fs::read_dir(disk.path()).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    bytes >> 20
}

#[test]
fn a_disk_that_is_full_at_the_start_is_reported_and_nothing_is_changed() {
    let Some(disk) = SmallDisk::mount() else { return };
    let trial = Trial::new_in(disk.path());
    let before = std::fs::read(trial.db()).unwrap();
    let filling = disk.path().join("filling");
    // Writing fails when the disk is full.
    std::fs::write(&filling, vec![0; 3 << 20]).unwrap_err();
    let ended = trial.try_start(&[]).err().expect("there is no room");
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("free space"), "{}", ended.err);
    assert!(std::fs::read(trial.db()).unwrap() == before, "the file was changed");
    std::fs::remove_file(filling).unwrap();
    trial.start().token(&trial.client);
}

#[test]
fn a_read_only_disk_is_reported_and_can_still_be_read() {
    let Some(disk) = SmallDisk::mount() else { return };
    let trial = Trial::new_in(disk.path());
    disk.remount("ro");
    let ended = trial.try_start(&[]).err().expect("nothing can be written");
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("Read-only file system"), "{}", ended.err);
    assert!(ended.err.contains("may write"), "{}", ended.err);
    run(&["verify", "--db", path(&trial.db())]).expect(0);
    disk.remount("rw");
    trial.start().token(&trial.client);
}
