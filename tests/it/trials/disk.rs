//! The states that a power cut may leave a disk in. The disk loses all unsynced changes, keeps them
//! all, keeps those before some moment with the last one torn, or keeps any mixture of sectors.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::Dice;
use super::shim::{Did, Record, is_traced};

/// A folder's files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Which unsynced changes the disk kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    /// Each sector, and each file's name and length, as it was at a moment of its own.
    Sectors {
        bytes: usize,
    },
    /// All changes up to some moment, the last write torn.
    Torn,
    /// All changes, as when the program ends but the machine does not.
    Everything,
}

/// The files of a folder, as the program sees them and as the last syncs left them.
pub struct Disk<'a> {
    files: Vec<File<'a>>,
    /// The file that each name has for the program.
    names: BTreeMap<&'a str, usize>,
    certain_names: BTreeMap<&'a str, usize>,
    /// Names added and removed since the folder's last sync; an added one with its file.
    uncertain_names: Vec<(&'a Record, Option<usize>)>,
}

#[derive(Default)]
struct File<'a> {
    certain: Vec<u8>,
    uncertain: Vec<&'a Record>,
}

impl<'a> Disk<'a> {
    /// A disk on which these files are synced.
    pub fn new(files: &'a Files) -> Disk<'a> {
        let names: BTreeMap<&str, usize> =
            files.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let file = |bytes: &Vec<u8>| File { certain: bytes.clone(), uncertain: Vec::new() };
        Disk {
            files: files.values().map(file).collect(),
            certain_names: names.clone(),
            names,
            uncertain_names: Vec::new(),
        }
    }

    /// Follows one step of the trace.
    pub fn follow(&mut self, record: &'a Record) {
        let name = record.name.as_str();
        match &record.did {
            Did::Create => {
                self.names.insert(name, self.files.len());
                self.uncertain_names.push((record, Some(self.files.len())));
                self.files.push(File::default());
            }
            Did::Unlink => {
                self.names.remove(name).unwrap();
                self.uncertain_names.push((record, None));
            }
            Did::Write { .. } | Did::Truncate { .. } => {
                self.files[self.names[name]].uncertain.push(record);
            }
            Did::Sync { before } if name.is_empty() => self.settle_names(*before),
            Did::Sync { before } => self.files[self.names[name]].settle(*before),
            Did::Answer(_) | Did::Fault => {}
        }
    }

    fn settle_names(&mut self, before: u64) {
        let certain = self.uncertain_names.partition_point(|(change, _)| change.at < before);
        for (change, file) in self.uncertain_names.drain(..certain) {
            rename(&mut self.certain_names, change, file);
        }
    }

    /// The content of the disk after a power cut now.
    pub fn after_power_loss(&self, kept: Kept, dice: &Dice) -> Files {
        match kept {
            Kept::Nothing => self.as_it_was(0, 0),
            Kept::Everything => self.as_it_was(u64::MAX, 0),
            Kept::Torn => {
                let files = self.files.iter().flat_map(|file| file.uncertain.iter().copied());
                let names = self.uncertain_names.iter().map(|(change, _)| *change);
                let uncertain: Vec<&Record> = files.chain(names).collect();
                if uncertain.is_empty() {
                    return self.as_it_was(0, 0);
                }
                let last = dice.pick(&uncertain);
                let bytes = if let Did::Write { bytes, .. } = &last.did { bytes.len() } else { 0 };
                self.as_it_was(last.at, below(dice, bytes + 1))
            }
            Kept::Sectors { bytes } => {
                let name_kept = |_: &Record| dice.below(2) == 0;
                self.read(name_kept, |file| file.mixed(bytes, dice))
            }
        }
    }

    /// The files with all changes before a moment, and with the first `torn_bytes` of the write at
    /// it.
    fn as_it_was(&self, moment: u64, torn_bytes: usize) -> Files {
        self.read(|change| change.at < moment, |file| file.as_it_was(moment, torn_bytes))
    }

    fn read(
        &self,
        name_kept: impl Fn(&Record) -> bool,
        content: impl Fn(&File<'_>) -> Vec<u8>,
    ) -> Files {
        let mut names = self.certain_names.clone();
        for (change, file) in self.uncertain_names.iter().filter(|(change, _)| name_kept(change)) {
            rename(&mut names, change, *file);
        }
        names.iter().map(|(name, at)| ((*name).to_owned(), content(&self.files[*at]))).collect()
    }
}

fn rename<'a>(names: &mut BTreeMap<&'a str, usize>, change: &'a Record, file: Option<usize>) {
    match file {
        Some(file) => names.insert(&change.name, file),
        None => names.remove(change.name.as_str()),
    };
}

impl File<'_> {
    fn settle(&mut self, before: u64) {
        let certain = self.uncertain.partition_point(|change| change.at < before);
        for change in self.uncertain.drain(..certain) {
            apply(&mut self.certain, change);
        }
    }

    fn as_it_was(&self, moment: u64, torn_bytes: usize) -> Vec<u8> {
        let mut content = self.certain.clone();
        for change in self.uncertain.iter().filter(|change| change.at <= moment) {
            match &change.did {
                Did::Write { offset, bytes } if change.at == moment => {
                    put(&mut content, *offset, &bytes[..torn_bytes]);
                }
                _ if change.at == moment => {}
                _ => apply(&mut content, change),
            }
        }
        content
    }

    /// Each sector as it was at a moment of its own.
    fn mixed(&self, sector_bytes: usize, dice: &Dice) -> Vec<u8> {
        let mut content = self.certain.clone();
        let mut moments: HashMap<usize, u64> = HashMap::new();
        let moment = || match dice.below(3) {
            0 => 0,
            1 => u64::MAX,
            _ => dice.pick(&self.uncertain).at,
        };
        for change in &self.uncertain {
            match &change.did {
                Did::Write { offset, bytes } => {
                    let mut from = 0;
                    while from < bytes.len() {
                        let sector = (offset + from) / sector_bytes;
                        let to = bytes.len().min((sector + 1) * sector_bytes - offset);
                        if change.at < *moments.entry(sector).or_insert_with(moment) {
                            put(&mut content, offset + from, &bytes[from..to]);
                        }
                        from = to;
                    }
                }
                _ if dice.below(2) == 0 => apply(&mut content, change),
                _ => {}
            }
        }
        content
    }
}

fn apply(content: &mut Vec<u8>, change: &Record) {
    match &change.did {
        Did::Write { offset, bytes } => put(content, *offset, bytes),
        Did::Truncate { bytes } => content.resize(*bytes, 0),
        _ => {}
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

fn below(dice: &Dice, bound: usize) -> usize {
    usize::try_from(dice.below(u64::try_from(bound).unwrap())).unwrap()
}

/// Reads a folder's files, without those that every start makes again.
pub fn read_files(folder: &Path) -> Files {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    });
    files.filter(|(name, _)| is_traced(name)).collect()
}

/// Replaces the content of a folder with these files.
pub fn write_files(folder: &Path, files: &Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
