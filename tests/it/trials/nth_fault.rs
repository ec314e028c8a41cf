//! Calls on the book's files that fail: the server goes on or ends with a reason.

use super::mixed_load::Trial;
use super::shim::Shim;

#[test]
fn a_signal_after_a_failure_does_not_hide_the_failure() {
    let mut trial = Trial::new();
    let shim = Shim::new(trial.folder());
    // Far enough for it to have started, and soon enough for the requests to come to it.
    let server = trial.try_start(&shim.environment("pwrite:5:50:sticky")).ok().unwrap();
    let half = trial.send_half(&server);
    trial.send_some(&server, 0, 8);
    server.wait_until_nobody_can_connect();
    server.signal("TERM");
    drop(half);
    let ended = server.wait().expect(70);
    assert!(ended.err.contains("the database failed while writing"), "{}", ended.err);
}
