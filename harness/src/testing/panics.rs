use std::any::Any;
use std::cell::RefCell;
use std::panic::PanicHookInfo;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes a panic leave its place for [`super::run`] in place of printing its own text. For a program
/// that runs tests and nothing else.
pub fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = place(info);
        if PLACE.try_with(|last| last.replace(Some(place))).is_err() {
            eprintln!("{info}");
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(|at| format!("{}:{}: ", short(at.file()), at.line())).unwrap_or_default()
}

/// What a panic said, behind its place where that is known.
pub(super) fn text(payload: &(dyn Any + Send)) -> String {
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
    let place = PLACE.with(RefCell::take).unwrap_or_default();
    format!("{place}{said}")
}

/// The folder and the name of a source file.
pub(super) fn short(file: &str) -> String {
    let mut parts: Vec<&str> = file.rsplit('/').take(2).collect();
    parts.reverse();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_as_the_recipe_names_its_file() {
        assert_eq!(short("/a/b/recipes/n8n/browser/10-login.rs"), "browser/10-login.rs");
        assert_eq!(short("x.rs"), "x.rs");
    }
}
