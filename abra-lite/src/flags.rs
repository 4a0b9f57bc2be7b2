/// What every command takes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Flags {
    /// Ask nothing
    #[arg(short = 'n', long, global = true)]
    pub(crate) no_input: bool,
    /// Contact no git remote
    #[arg(short = 'o', long, global = true)]
    pub(crate) offline: bool,
    /// Say more
    #[arg(short = 'd', long, global = true)]
    pub(crate) debug: bool,
    /// Use the recipe's checkout exactly as it is
    #[arg(short = 'C', long, global = true)]
    pub(crate) chaos: bool,
}
