//! `tillbook compat`: the public guides' flows and request shapes, replayed against a server.

use std::io::Write;

use clap::Args;
use clap::builder::FalseyValueParser;
use url::Url;

use super::JsonArgs;
use super::compat_flows::{CheckedClaim, ClaimKind, Outcome, Replayed, replay};
use super::error::CliError;
use crate::domain::ids::AccountId;
use crate::json::{ObjectText, Tree};

#[derive(Args)]
pub struct CompatArgs {
    /// The server's public URL; https:// is not supported
    #[arg(long, env = "TILLBOOK_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: Url,
    /// The account to make orders in; use a test account, because the orders stay
    #[arg(long, env = "TILLBOOK_ACCOUNT", value_parser = parse_account)]
    account: AccountId,
    /// A client of that account with admin:shopping, admin:hooks and admin:billing
    #[arg(long, env = "TILLBOOK_CLIENT_ID", value_name = "ID")]
    client_id: String,
    /// The client's secret; safer in the environment than on the command line
    #[arg(long, env = "TILLBOOK_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    client_secret: String,
    /// Print a table in Markdown
    #[arg(
        long,
        env = "TILLBOOK_MARKDOWN",
        value_parser = FalseyValueParser::new(),
        conflicts_with = "json"
    )]
    markdown: bool,
    #[command(flatten)]
    output: JsonArgs,
}

/// Replays every flow and prints the verdicts; an error if an answer is not as the flows
/// expect.
pub fn run(args: &CompatArgs) -> Result<(), CliError> {
    let url = args.url.as_str().trim_end_matches('/');
    let replay = replay(url, &args.account, &args.client_id, &args.client_secret)?;
    let replayed = replay.sent;
    let mut out = std::io::stdout().lock();
    match (args.output.json, args.markdown) {
        (true, _) => writeln!(out, "{}", as_json(&replayed))?,
        (false, true) => out.write_all(as_markdown(&replayed).as_bytes())?,
        (false, false) => write_lines(&mut out, &replayed)?,
    }
    if let Some(why) = replay.stopped {
        return Err(CliError::Refused(why));
    }
    let failed = replayed.iter().any(|one| one.claims.iter().any(|claim| claim.failed()));
    if failed { Err(CliError::AnswersDiffer) } else { Ok(()) }
}

fn parse_account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text)
        .ok_or_else(|| "expected T or P and eight digits, such as T12345678".to_owned())
}

impl CheckedClaim {
    fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// A remark beside the verdict.
    fn words(&self) -> &str {
        match &self.outcome {
            Outcome::Failed(why) => why,
            Outcome::Holds => &self.note,
        }
    }

    fn verdict(&self) -> &'static str {
        match (&self.outcome, self.kind) {
            (Outcome::Failed(_), _) => "FAILED",
            (Outcome::Holds, ClaimKind::Same) => "same",
            (Outcome::Holds, ClaimKind::Ours) => "ours",
            (Outcome::Holds, ClaimKind::Differs) => "differs",
        }
    }
}

fn write_lines(out: &mut impl Write, replayed: &[Replayed]) -> std::io::Result<()> {
    for (at, one) in replayed.iter().enumerate() {
        if at == 0 || replayed[at - 1].flow != one.flow {
            writeln!(out, "\n{}", one.flow)?;
        }
        for claim in &one.claims {
            writeln!(out, "  {:<8} {:<44} {}", claim.verdict(), one.request, one.what)?;
            if !claim.words().is_empty() {
                writeln!(out, "           {}", claim.words())?;
            }
        }
    }
    writeln!(out, "\n{}", summary(replayed))
}

fn as_markdown(replayed: &[Replayed]) -> String {
    let mut text = String::new();
    for (at, one) in replayed.iter().enumerate() {
        if at == 0 || replayed[at - 1].flow != one.flow {
            text.push_str(&format!(
                "\n## {}\n\n| request | what | verdict | note |\n|---|---|---|---|\n",
                one.flow
            ));
        }
        for claim in &one.claims {
            let (verdict, words) = (claim.verdict(), claim.words().replace('|', "\\|"));
            text.push_str(&format!("| `{}` | {} | {verdict} | {words} |\n", one.request, one.what));
        }
    }
    format!("{text}\n{}\n", summary(replayed))
}

fn summary(replayed: &[Replayed]) -> String {
    let count = |word: &str| {
        let claims = replayed.iter().flat_map(|one| &one.claims);
        claims.filter(|claim| claim.verdict() == word).count()
    };
    format!(
        "{} requests: {} same, {} ours, {} differs, {} failed.",
        replayed.len(),
        count("same"),
        count("ours"),
        count("differs"),
        count("FAILED")
    )
}

fn as_json(replayed: &[Replayed]) -> String {
    let mut rows = Vec::new();
    for one in replayed {
        for claim in &one.claims {
            rows.push(Tree::object([
                ("flow", Tree::text(&one.flow)),
                ("request", Tree::text(&one.request)),
                ("what", Tree::text(&one.what)),
                ("verdict", Tree::text(claim.verdict())),
                ("note", Tree::text(claim.words())),
            ]));
        }
    }
    let rows: Vec<String> = rows.iter().map(Tree::to_string).collect();
    ObjectText::default().list("rows", &rows).end()
}
