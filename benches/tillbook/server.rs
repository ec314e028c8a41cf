//! Servers as separate processes: Tillbook and the servers that it is compared with.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::process::{cpu_us, memory_mib, peak_mib};

/// The binary that is measured.
pub const TILLBOOK: &str = env!("CARGO_BIN_EXE_tillbook");

/// How long a server is watched, and the most CPU that it uses in that time when idle.
const REST: Duration = Duration::from_secs(1);
const RESTING_CPU_US: u64 = 50_000;

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    /// The address that it listens on, as `host:port`.
    pub address: String,
}

impl Server {
    /// Tillbook, serving the book in a folder.
    pub fn start_book(folder: &Path) -> Server {
        let mut command = Command::new(TILLBOOK);
        command.current_dir(folder).args(["serve", "--log", "warn"]);
        Server::start(command, "--listen")
    }

    /// Tillbook, also allowed to send webhooks to this machine.
    pub fn start_book_with_hooks(folder: &Path) -> Server {
        let mut command = Command::new(TILLBOOK);
        command.current_dir(folder).args([
            "serve",
            "--log",
            "warn",
            "--webhook-allow",
            "127.0.0.1",
        ]);
        Server::start(command, "--listen")
    }

    /// The ceiling, see `echo`.
    pub fn start_echo() -> Server {
        Server::start(Command::new(itself()), "--serve-echo")
    }

    /// The naive server, see `naive`, on the book in a folder.
    pub fn start_naive(folder: &Path) -> Server {
        let mut command = Command::new(itself());
        command.arg("--book").arg(folder.join("tillbook.db"));
        Server::start(command, "--serve-naive")
    }

    fn start(mut command: Command, listen: &str) -> Server {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = free.local_addr().expect("a socket has an address").to_string();
        drop(free);
        let child = command.args([listen, &address]).stdout(Stdio::null()).spawn();
        let mut child = child.expect("the server starts");
        while std::net::TcpStream::connect(&address).is_err() {
            let ended = child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the server ended before it listened: {ended:?}");
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Server { child, address }
    }

    /// Waits until it is idle: after a start it checks its book, which is not to be measured.
    pub fn settle(&self) {
        loop {
            let before = self.cpu_us();
            std::thread::park_timeout(REST);
            if self.cpu_us() - before < RESTING_CPU_US {
                return;
            }
        }
    }

    /// CPU it has used, in microseconds.
    pub fn cpu_us(&self) -> u64 {
        cpu_us(self.child.id())
    }

    /// Its largest memory so far and its memory now, in MiB.
    pub fn peak_and_memory_mib(&self) -> (f64, f64) {
        (peak_mib(self.child.id()), memory_mib(self.child.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when the server has ended already, which is reported elsewhere.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn itself() -> std::path::PathBuf {
    std::env::current_exe().expect("the path of this program is known")
}

/// Runs a subcommand of Tillbook in a folder and returns its output. Panics if it fails.
pub fn run_tillbook(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(TILLBOOK).current_dir(folder).args(arguments).output();
    let ran = ran.expect("the binary runs");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {told}{}", String::from_utf8_lossy(&ran.stderr));
    told
}
