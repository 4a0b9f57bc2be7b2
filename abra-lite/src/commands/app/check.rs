//! `app check`: keys of `.env.sample` that the env file lacks.

use crate::app::App;
use crate::fatal::Done;
use crate::flags::Flags;
use crate::table::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
}

pub(crate) fn run(args: Args, flags: Flags) -> Done {
    let app = App::open_with_recipe(&args.domain, flags)?;
    let rows: Vec<_> = app
        .recipe
        .sample()?
        .vars()
        .into_keys()
        .map(|key| {
            let there = if app.env.get(&key).is_some() { "✅" } else { "❌" };
            vec![key, there.to_owned()]
        })
        .collect();
    print!("{}", table(&["KEY", "THERE"], &rows));
    Ok(())
}
