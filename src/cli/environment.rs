//! Names the environment variable that an invalid value came from.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error};

/// Adds the variable's name to an error about an option's value, if the value came from the
/// environment. clap itself names only the option, which may be nowhere on the command line.
pub fn name_variable(mut command: Command, mut error: Error) -> Error {
    // Only arguments of built commands have the names that errors give them.
    command.build();
    let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let Some(argument) = find(&command, invalid) else { return error };
    let given = std::env::args_os().skip(1).any(|word| is_option(argument, &word));
    let Some(variable) = argument.get_env().filter(|_| !given) else { return error };
    if std::env::var_os(variable).is_none() {
        return error;
    }
    let told = format!(
        "the value is that of the environment variable {}; correct it there, or unset it",
        variable.display()
    );
    let told = ContextValue::StyledStrs(vec![StyledStr::from(told)]);
    error.insert(ContextKind::Suggested, told);
    error
}

/// The argument that clap's messages call `name`, of the command or of one below it.
fn find<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    let own = command.get_arguments().find(|argument| argument.to_string() == name);
    own.or_else(|| command.get_subcommands().find_map(|below| find(below, name)))
}

/// True if a word of the command line is this option: `--log` or `--log=info`.
fn is_option(argument: &Arg, word: &OsStr) -> bool {
    let Some(long) = argument.get_long() else { return false };
    let word = word.to_string_lossy();
    word.split('=').next().and_then(|name| name.strip_prefix("--")) == Some(long)
}
