//! The binary: everything it does is in the library.

fn main() -> std::process::ExitCode {
    tillbook::cli::run()
}
