//! The command line: its effects, output and errors, and that a running server notices its changes.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tillbook::domain::scope::Scope;

use super::audit::tamper;
use super::harness::ACCOUNT;
use super::http_client::Client;
use super::process::{
    Served, command, make_book, make_client, path, run, run_shell, run_with, until,
};

/// A directory, and the path of a book in it.
fn nowhere() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    (dir, db)
}

#[test]
fn the_help_names_every_scope_that_can_be_granted() {
    let help = run(&["client", "create", "--help"]).expect(0).out;
    let words: BTreeSet<&str> = help.split([' ', '\n', ',', ';']).collect();
    let missing = Scope::ALL.map(Scope::as_str).into_iter().filter(|scope| !words.contains(scope));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn accounts_and_clients_are_made_and_listed_for_people() {
    let (_dir, db) = nowhere();
    let db = ["--db", path(&db)];
    let account = |args: &[&str]| run(&[&["account"], args, &db].concat()).expect(0).out;
    let client = |args: &[&str]| run(&[&["client"], args, &db].concat()).expect(0).out;
    let made = account(&["create", "T00000001", "--name", "Fjord & Sønn"]);
    assert!(made.starts_with("Made account T00000001 (Fjord & Sønn) in "), "{made}");
    assert!(made.contains("tillbook client create --account T00000001"), "{made}");
    assert!(client(&["list"]).starts_with("No clients."));
    account(&["create", "P00000002", "--name", "b", "--currency", "SEK", "--time-zone", "UTC"]);
    assert_eq!(
        account(&["list"]),
        "P00000002  SEK  UTC  b\nT00000001  NOK  Europe/Oslo  Fjord & Sønn\n"
    );
    let args = ["--account", "T00000001", "--name", "web", "--grant", "read:shopping"];
    let made = client(&[&["create"], &args[..]].concat());
    let word = |after: &str| {
        let line = made.lines().find(|line| line.starts_with(after)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let (id, secret) = (word("client_id"), word("client_secret"));
    assert_eq!(secret.len(), 43);
    let listed = client(&["list"]);
    assert_eq!(listed, format!("{id}  T00000001  enabled   web  read:shopping\n"));
    assert_eq!(client(&["disable", &id]), format!("Disabled client {id} (web).\n"));
    let listed = client(&["list"]);
    assert_eq!(listed, format!("{id}  T00000001  disabled  web  read:shopping\n"));
}

#[test]
fn accounts_and_clients_are_made_and_listed_for_scripts() {
    let (_dir, db) = nowhere();
    let db = ["--json", "--db", path(&db)];
    let account = |args: &[&str]| run(&[&["account"], args, &db].concat()).expect(0).json();
    let client = |args: &[&str]| run(&[&["client"], args, &db].concat()).expect(0).json();
    let made = account(&["create", "T00000001", "--name", "Fjord \"& Sønn\""]);
    assert_eq!(made["account"], "T00000001");
    assert_eq!(made["name"], "Fjord \"& Sønn\"");
    assert_eq!(account(&["list"]), json!({"accounts": [made]}));
    let args = ["--account", "T00000001", "--name", "web"];
    let grants = ["--grant", "write:shopping", "--grant", "read:shopping"];
    let made = client(&[&["create"], &args[..], &grants[..]].concat());
    assert_eq!(keys(&made), ["account", "client_id", "client_secret", "grants"]);
    let listed = client(&["list"])["clients"][0].clone();
    assert_eq!(keys(&listed), ["account", "client_id", "created_at", "grants", "name"]);
    assert_eq!((&listed["client_id"], &listed["grants"]), (&made["client_id"], &made["grants"]));
    let disabled = client(&["disable", listed["client_id"].as_str().unwrap()]);
    assert!(disabled["disabled_at"].is_string());
    assert_eq!(client(&["list"]), json!({"clients": [disabled]}));
}

#[test]
fn an_account_s_payment_page_is_set_and_removed() {
    let (_dir, db) = nowhere();
    let db = ["--db", path(&db)];
    let account = |args: &[&str]| run(&[&["account"], args, &db].concat());
    account(&["create", "P00000001", "--name", "b"]).expect(0);
    let page = "https://shop.example/pay/{session_id}?a=1";
    let edit = |page: &str| account(&["edit", "P00000001", "--checkout-url", page]);
    let told = edit(page).expect(0).out;
    assert_eq!(told, format!("New sessions of account P00000001 are paid on {page}.\n"));
    let listed = || account(&["list", "--json"]).expect(0).json()["accounts"][0].clone();
    assert_eq!(listed()["checkout_url"], page);
    for wrong in
        ["https://shop.example/pay", "shop.example/{session_id}", "", "ftp://a/{session_id}"]
    {
        let refused = edit(wrong).expect(2).err;
        assert!(refused.contains("--checkout-url"), "{wrong:?}: {refused}");
    }
    assert_eq!(listed()["checkout_url"], page, "a refused page changes nothing");
    let shown = account(&["edit", "P00000001", "--checkout-url", "none", "--json"]).expect(0);
    assert!(shown.json().get("checkout_url").is_none());
    assert_eq!(listed().get("checkout_url"), None);
    let told = edit("none").expect(0).out;
    assert_eq!(told, "Account P00000001 has no payment page of its own.\n");
    let unknown = account(&["edit", "P00000009", "--checkout-url", page]).expect(1).err;
    assert!(unknown.contains("there is no account P00000009"), "{unknown}");
    account(&["edit", "P00000001"]).expect(2);
}

#[test]
fn an_e_mail_typed_in_another_way_is_the_same_user() {
    let (_dir, db) = nowhere();
    make_book(&db);
    let db = ["--db", path(&db)];
    let user = |args: &[&str]| run(&[&["user"], args, &db].concat());
    let create =
        |email: &str| user(&["create", "--email", email, "--role", "viewer", "--account", ACCOUNT]);
    let made = create("Åse@Åsen.no").expect(0).out;
    assert!(made.starts_with("Made viewer åse@åsen.no.\n"), "{made}");
    let twice = create("ÅSE@xn--sen-tla.no").expect(1).err;
    assert!(twice.contains("åse@åsen.no is a user already"), "{twice}");
    let changed = user(&["disable", " åse@XN--SEN-TLA.no "]).expect(0).out;
    assert_eq!(changed, "Disabled åse@åsen.no.\n");
    for wrong in ["åse", "@åsen.no", "åse@", "åse@a@b.no", "å se@b.no", "åse@-b.no"] {
        let told = create(wrong).expect(2).err;
        assert!(told.contains("expected an e-mail address, such as kari@example.no"), "{told}");
    }
}

#[test]
fn a_mistyped_path_makes_no_book_unless_the_command_makes_books_and_then_it_is_told() {
    let (dir, db) = nowhere();
    let file = |name: &str| dir.path().join(name);
    let listed = || std::fs::read_dir(dir.path()).unwrap().count();
    let email = "kari@example.no";
    let role = ["--role", "viewer", "--account", ACCOUNT];
    for args in [
        vec!["client", "create", "--account", ACCOUNT, "--name", "x", "--grant", "read:shopping"],
        vec!["client", "list"],
        vec!["client", "disable", "x"],
        [&["user", "create", "--email", email][..], &role[..]].concat(),
        vec!["user", "list"],
        vec!["user", "disable", email],
        vec!["user", "passwd", email],
        vec!["account", "list"],
        vec!["verify"],
    ] {
        let typo = file("typo.db");
        let ended = run(&[&args[..], &["--db", path(&typo)]].concat()).expect(1);
        let told = format!("there is no file {}; name your book with --db", typo.display());
        assert!(ended.err.contains(&told), "{args:?}: {}", ended.err);
        assert_eq!(listed(), 0, "{args:?} made a file");
    }
    let create = |db: &Path| run(&["account", "create", ACCOUNT, "--name", "x", "--db", path(db)]);
    let told = format!("Made a new book, {}. If you meant another one", db.display());
    let made = create(&db).expect(0);
    assert!(made.err.starts_with(&told) && !made.out.contains("new book"), "{}", made.err);
    let again = ["account", "create", "T00000002", "--name", "y", "--json", "--db", path(&db)];
    assert_eq!(run(&again).expect(0).err, "");
    for is_new in [true, false] {
        let db = file("served.db");
        let mut served = Served::start(&db);
        let log = served.log();
        drop(served);
        let log = std::io::read_to_string(log).unwrap();
        let told = format!("Made a new book, {}.", db.display());
        assert_eq!(log.contains(&told), is_new, "{log}");
    }
}

fn keys(object: &Value) -> Vec<&str> {
    let keys: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.into_iter().collect()
}

#[test]
fn every_option_can_be_set_in_the_environment_and_the_command_line_wins() {
    let (_dir, db) = nowhere();
    let environment = [
        ("TILLBOOK_DB", path(&db)),
        ("TILLBOOK_JSON", "1"),
        ("TILLBOOK_ACCOUNT", "T00000001"),
        ("TILLBOOK_NAME", "from outside"),
        ("TILLBOOK_CURRENCY", "DKK"),
        ("TILLBOOK_TIME_ZONE", "Europe/Copenhagen"),
        ("TILLBOOK_GRANT", "write:shopping,read:shopping"),
    ];
    let run = |args: &[&str]| run_with(args, &environment).expect(0);
    let made = run(&["account", "create", "T00000001", "--currency", "EUR"]).json();
    assert_eq!(made["name"], "from outside");
    assert_eq!(
        (&made["currency"], &made["time_zone"]),
        (&json!("EUR"), &json!("Europe/Copenhagen"))
    );
    let made = run(&["client", "create"]).json();
    assert_eq!(made["grants"], json!(["write:shopping", "read:shopping"]));
    let listed = run(&["client", "list"]).json();
    assert_eq!(listed["clients"][0]["client_id"], made["client_id"]);
    let plain = [("TILLBOOK_DB", path(&db)), ("TILLBOOK_JSON", "false")];
    let listed = run_with(&["account", "list"], &plain).expect(0).out;
    assert!(listed.starts_with("T00000001  EUR"), "{listed}");
}

#[test]
fn a_wrong_command_line_exits_2_and_says_what_is_expected() {
    let (dir, db) = nowhere();
    let create = ["account", "create", "T00000001"];
    let client = ["client", "create", "--account", "T00000001", "--name", "x"];
    let long = "x".repeat(201);
    let wrong: [(&[&str], &[&str], &str); 21] = [
        (&["account", "create", "T0000001", "--name", "x"], &[], "T or P and eight digits"),
        (&["account", "create", "--name", "x"], &[], "<ACCOUNT>"),
        (&create, &[], "--name <NAME>"),
        (&create, &["--name", ""], "1 to 200 characters"),
        (&create, &["--name", &long], "1 to 200 characters"),
        (&create, &["--name", "a\nb"], "on one line"),
        (&create, &["--name", "x", "--currency", "kroner"], "as NOK"),
        (&create, &["--name", "x", "--time-zone", "Mars/Base"], "as Europe/Oslo"),
        (&client, &[], "--grant <SCOPE>"),
        (&client, &["--grant", "everything"], "admin:shopping, write:shopping"),
        (&["client", "disable"], &[], "<CLIENT>"),
        (&["serve", "--listen"], &["localhost"], "as 127.0.0.1:8080"),
        (&["serve", "--public-url"], &["shop.example"], "http:// or https://"),
        (
            &["serve", "--cors-origin"],
            &["https://a.example/"],
            "write the origin as https://a.example",
        ),
        (&["serve", "--host"], &["till.lan:8080"], "a name without a port, such as till.lan"),
        (&["serve", "--host"], &["192.0.2.7"], "addresses need not be given"),
        (&["serve", "--trusted-proxy"], &["proxy"], "expected an IP address"),
        (&["serve", "--token-life"], &["0"], "from 1 to 31536000"),
        (&["serve", "--log"], &["loud"], "error, warn, info, debug"),
        (&["account", "lists"], &[], "tillbook account"),
        (&["accounts"], &[], "unrecognized subcommand"),
    ];
    for (start, end, told) in wrong {
        let args = [start, end].concat();
        let ended = run_with(&args, &[("TILLBOOK_DB", path(&db))]).expect(2);
        assert!(ended.err.contains(told), "{args:?}: {}", ended.err);
        assert!(ended.out.is_empty());
    }
    let outside = [("TILLBOOK_DB", path(&db)), ("TILLBOOK_CURRENCY", "kr")];
    let ended = run_with(&[&create[..], &["--name", "x"]].concat(), &outside).expect(2);
    assert!(ended.err.contains("as NOK"), "{}", ended.err);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a file was made");
}

#[test]
fn a_wrong_value_in_the_environment_is_told_with_its_variable() {
    let (dir, db) = nowhere();
    let user = ["user", "create"];
    let hooks = ["hooks", "replay", "x"];
    let shop = ["account", "create", "T00000001", "--name", "x"];
    let wrong: [(&[&str], &str, &str, &str); 20] = [
        (&["serve"], "TOKEN_LIFE", "abc", "a whole number of seconds from 1 to 31536000"),
        (&["serve"], "TOKEN_LIFE", "99999999999999999999", "from 1 to 31536000"),
        (&["serve"], "LISTEN", "8080", "such as 127.0.0.1:8080"),
        (&["serve"], "PUBLIC_URL", "shop", "expected http:// or https://"),
        (&["serve"], "HOST", "a:1", "a name without a port"),
        (&["serve"], "CORS_ORIGIN", "x", "such as https://shop.example"),
        (&["serve"], "TRUSTED_PROXY", "proxy", "expected an IP address"),
        (&["serve"], "WEBHOOK_ALLOW", "a b", "a network, such as"),
        (&["serve"], "LOG", "loud", "error, warn, info, debug"),
        (&["demo"], "SEED", "-1", "expected a whole number from 0 to"),
        (&["demo"], "TOKEN_LIFE", "1.5", "from 1 to 31536000"),
        (&shop, "CURRENCY", "kr", "as NOK"),
        (&shop, "TIME_ZONE", "Mars", "as Europe/Oslo"),
        (&["account", "edit", "T00000001"], "CHECKOUT_URL", "x", "{session_id}"),
        (&["client", "create"], "ACCOUNT", "T1", "T or P and eight digits"),
        (&["client", "create"], "GRANT", "all", "admin:shopping, write:shopping"),
        (&user, "ROLE", "boss", "owner, manager, packer, viewer"),
        (&user, "EMAIL", "kari", "kari@example.no"),
        (&hooks, "SINCE", "monday", "2026-11-23T09:00:00Z"),
        (&["compat"], "ACCOUNT", "T1", "T or P and eight digits"),
    ];
    for (args, name, value, told) in wrong {
        let variable = format!("TILLBOOK_{name}");
        let outside = [("TILLBOOK_DB", path(&db)), (variable.as_str(), value)];
        let ended = run_with(args, &outside).expect(2);
        for part in [told, &format!("'{value}'"), &format!("the environment variable {variable}")] {
            assert!(ended.err.contains(part), "{variable}={value}: {}", ended.err);
        }
        // A value on the command line is not one of the environment.
        let option = format!("--{}", name.to_lowercase().replace('_', "-"));
        let option = format!("{option}={value}");
        let typed = [args, &[option.as_str()]].concat();
        let ended = run_with(&typed, &outside).expect(2);
        assert!(ended.err.contains(told) && !ended.err.contains(&variable), "{}", ended.err);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a file was made");
}

#[test]
fn one_is_singular() {
    let (_dir, db) = nowhere();
    make_book(&db);
    let told = run(&["verify", "--db", path(&db)]).expect(0).out;
    let counts = "Checked 1 account, 0 orders with 0 lines, 0 operations, 0 events:\n";
    assert!(told.starts_with(counts), "{told}");
    let stray = "insert into order_values (account_seq, filter, value, order_seq)
        values (1, 'store_id', 'x', 99)";
    tamper(&db, &format!("pragma foreign_keys = off; {stray}")).unwrap();
    let told = run(&["verify", "--db", path(&db)]).expect(1).out;
    assert!(told.contains("\n1 error found. "), "{told}");
}

#[test]
fn a_server_with_too_few_open_files_says_so() {
    let (dir, db) = nowhere();
    make_book(&db);
    let program = env!("CARGO_BIN_EXE_tillbook");
    for files in [24, 32, 64, 127] {
        for subcommand in ["serve", "demo"] {
            let place = dir.path().join(format!("{subcommand}-{files}.db"));
            let place = if subcommand == "serve" { &db } else { &place };
            let line = format!(
                "ulimit -n {files} && exec {program} {subcommand} --listen 127.0.0.1:0 --db {}",
                path(place)
            );
            let ended = run_shell(&line).expect(1);
            let told = format!("tillbook: the system allows this process {files} open files, and ");
            let last = ended.err.lines().last().unwrap();
            assert!(last.starts_with(&told), "{subcommand}, {files}: {}", ended.err);
            assert!(last.contains("ulimit -n") && !ended.err.contains("panic"), "{}", ended.err);
        }
    }
}

#[test]
fn a_password_that_is_not_utf_8_is_told_as_one() {
    let (dir, db) = nowhere();
    make_book(&db);
    let typed = dir.path().join("typed");
    std::fs::write(&typed, b"p\xe5ssord som er langt\n").unwrap();
    let program = env!("CARGO_BIN_EXE_tillbook");
    for subcommand in
        ["create --email a@b.example --role owner --account T12345678", "passwd a@b.example"]
    {
        let line = format!(
            "{program} user {subcommand} --password-stdin --db {} < {}",
            path(&db),
            path(&typed)
        );
        let ended = run_shell(&line).expect(1);
        let told = "tillbook: the password on standard input is not UTF-8; send it as UTF-8\n";
        assert_eq!(ended.err, told, "{subcommand}");
    }
}

#[test]
fn a_book_in_a_folder_that_cannot_be_written_is_read() {
    let (dir, db) = nowhere();
    make_book(&db);
    let program = dir.path().join("tillbook");
    std::fs::copy(env!("CARGO_BIN_EXE_tillbook"), &program).unwrap();
    // Root may write everywhere, so the program runs as another user.
    let line = |command: &str| {
        let words = format!("{} {command} --db {}", path(&program), path(&db));
        format!("chmod -R a+rX,a-w {} && {}", path(dir.path()), as_nobody(&words))
    };
    for (command, told) in
        [("verify", "1 account, 0 orders"), ("account list", ACCOUNT), ("client list", "enabled")]
    {
        let ended = run_shell(&line(command)).expect(0);
        assert!(ended.out.contains(told), "{command}: {}", ended.out);
    }
    let files = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, 3, "the book, its lock and the program");
    run_shell(&format!("chmod -R u+w {}", path(dir.path())));
}

/// A command line of a user who may not write everywhere.
pub fn as_nobody(words: &str) -> String {
    format!("if [ \"$(id -u)\" = 0 ]; then setpriv --reuid 65534 {words}; else {words}; fi")
}

#[test]
fn a_command_that_fails_exits_1_and_says_what_to_do() {
    let (dir, db) = nowhere();
    let missing: [&[&str]; 4] = [
        &["account", "list"],
        &["client", "list"],
        &["client", "disable", "x"],
        &["client", "create", "--account", ACCOUNT, "--name", "x", "--grant", "read:shopping"],
    ];
    for args in missing {
        let (file, folder) = (path(&db), path(dir.path()));
        let no_file = format!("there is no file {file}; name your book with --db");
        let is_folder = format!(
            "{folder} is a folder, and a book is a file. Name a file in it: --db \
             {folder}/tillbook.db"
        );
        for (place, told) in [(file, no_file), (folder, is_folder)] {
            let ended = run(&[args, &["--db", place]].concat()).expect(1);
            assert_eq!(ended.err, format!("tillbook: {told}\n"));
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a file was made");
    make_book(&db);
    let refused: [(&[&str], &str); 3] = [
        (&["account", "create", ACCOUNT, "--name", "x"], "exists already; `tillbook account list`"),
        (&["client", "disable", "x"], "no client x; `tillbook client list`"),
        (
            &[
                "client",
                "create",
                "--account",
                "T00000009",
                "--name",
                "x",
                "--grant",
                "read:shopping",
            ],
            "make it with `tillbook account create T00000009",
        ),
    ];
    for (args, told) in refused {
        let ended = run(&[args, &["--db", path(&db)]].concat()).expect(1);
        assert!(ended.err.contains(told), "{args:?}: {}", ended.err);
        assert!(ended.out.is_empty());
    }
    let server = Served::start(&db);
    let taken = server.url.trim_start_matches("http://");
    let (_other_dir, other) = nowhere();
    let ended = run(&["serve", "--listen", taken, "--db", path(&other)]).expect(1);
    assert!(ended.err.contains("is in use") && ended.err.contains("--listen"), "{}", ended.err);
    assert!(!other.exists());
}

#[test]
fn a_running_server_follows_the_commands() {
    let (_dir, db) = nowhere();
    let old = make_book(&db);
    let server = Served::start(&db);
    let token = server.token(&old);
    let get = |token: &str| server.shopping(token, "GET", "/orders", None).status;
    assert_eq!(get(&token), 200);

    let new = make_client(&db, "read:shopping");
    let new_token = server.token(&new);
    until("a new client's token is good", || get(&new_token) == 200);

    run(&["client", "disable", &old.client_id, "--db", path(&db)]).expect(0);
    until("a disabled client's token is not", || get(&token) == 401);
    let refused = server.ask_token(&old).expect(401);
    assert_eq!(refused.code(), "invalid_client");
    assert_eq!(get(&new_token), 200);

    run(&["account", "create", "T00000002", "--name", "second", "--db", path(&db)]).expect(0);
    let args = ["client", "create", "--account", "T00000002", "--name", "x", "--grant"];
    let made = run(&[&args[..], &["admin:shopping", "--json", "--db", path(&db)]].concat());
    let made = made.expect(0).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let second = Client { client_id: text("client_id"), secret: text("client_secret") };
    let basic = super::http_client::basic(&second);
    let path = "/v1/accounts/T00000002/auth/token";
    let headers = [("authorization", basic.as_str())];
    super::http_client::send(&server.url, "POST", path, &headers, None).expect(200);
    // A client of another account.
    server.ask_token(&second).expect(401);
}

#[test]
fn the_help_of_every_subcommand_names_every_option_s_variable() {
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    let mut options = 0;
    while let Some(subcommand) = waiting.pop() {
        let mut args: Vec<&str> = subcommand.iter().map(String::as_str).collect();
        args.push("--help");
        let help = run(&args).expect(0).out;
        for option in paragraphs(&help, "Options:") {
            let flag = option.split([' ', ',', '=']).find(|word| word.starts_with("--")).unwrap();
            if matches!(flag, "--help" | "--version") {
                continue;
            }
            // The value of a secret is not shown, so its entry has no equals sign.
            let variable = format!("[env: TILLBOOK_{}", variable_part(flag));
            let named = [format!("{variable}=]"), format!("{variable}]")];
            assert!(
                named.iter().any(|named| option.contains(named)),
                "{subcommand:?} {flag} lacks {variable}: {option}"
            );
            options += 1;
        }
        for entry in paragraphs(&help, "Commands:") {
            let name = entry.split(' ').next().unwrap();
            if name != "help" {
                waiting.push([&subcommand[..], &[name.to_owned()]].concat());
            }
        }
    }
    assert!(20 < options, "only {options} options were found");
}

/// `CORS_ORIGIN` for `--cors-origin`.
fn variable_part(flag: &str) -> String {
    flag.trim_start_matches('-').replace('-', "_").to_uppercase()
}

/// The entries of a section of a help text, each on one line.
fn paragraphs(help: &str, section: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != section).skip(1);
    let mut entries: Vec<String> = Vec::new();
    for line in lines.take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        match entries.last_mut() {
            _ if !text.is_empty() && (text.starts_with('-') && indent <= 6 || indent == 2) => {
                entries.push(text.to_owned());
            }
            Some(entry) => {
                entry.push(' ');
                entry.push_str(text);
            }
            None => {}
        }
    }
    entries
}

#[test]
fn a_closed_output_pipe_is_not_an_error() {
    let (_dir, db) = nowhere();
    make_book(&db);
    let commands: [&[&str]; 6] = [
        &["account", "list"],
        &["account", "list", "--json"],
        &["client", "list"],
        &["account", "create", "T00000003", "--name", "x"],
        &["--help"],
        &["--version"],
    ];
    for args in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(args, &[("TILLBOOK_DB", path(&db))]);
        let ended = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), "", "{args:?}");
    }
    let listed = run(&["account", "list", "--db", path(&db)]).expect(0).out;
    assert!(listed.contains("T00000003"), "the command did nothing");
}
