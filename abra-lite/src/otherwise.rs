//! Where it is not sure what the real abra does, this does what refuses more. `ABRA_LITE_OTHERWISE` names the points,
//! with commas between, at which it does the other thing; `all` names every one. Tests run both ways.

use coopcloud::abra::{BEHAVIOURS, Behaviour, Point};

use crate::fatal::{Done, fatal};

const VARIABLE: &str = "ABRA_LITE_OTHERWISE";

/// Whether the other thing is done at a point.
pub(crate) fn otherwise(point: Point) -> Done<bool> {
    is_in(&std::env::var(VARIABLE).unwrap_or_default(), point)
}

fn is_in(list: &str, point: Point) -> Done<bool> {
    let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let open = |row: &&Behaviour| row.otherwise.is_some();
    let known = |name: &str| name == "all" || BEHAVIOURS.iter().filter(open).any(|row| row.name == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = BEHAVIOURS.iter().filter(open).map(|row| row.name).collect();
        return fatal(format!("{VARIABLE} names {name}; there are all, {}", all.join(", ")));
    }
    let row = point.row();
    Ok(row.otherwise.is_some() && names.iter().any(|name| *name == "all" || *name == row.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_named_one_by_one_or_all() {
        let is = |list: &str, point| is_in(list, point).unwrap();
        assert!(!is("", Point::ExportsByPattern));
        assert!(is("backup-list-is-short, exports-by-pattern", Point::ExportsByPattern));
        assert!(!is("backup-list-is-short", Point::ExportsByPattern));
        assert!(is("all", Point::CatalogueWanted) && !is("all", Point::TerminalWanted), "what is sure stays");
        assert!(
            is_in("exports", Point::ExportsByPattern).is_err() && is_in("terminal-wanted", Point::SchemaFirst).is_err()
        );
    }
}
