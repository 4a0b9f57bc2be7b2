//! The program as cc-ci calls it.

use assert_cmd::Command;

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Command {
        let mut program = Command::cargo_bin("recipe-tests").unwrap();
        program.env_clear();
        program
    }

    #[test]
    fn a_test_that_was_not_built_in_is_broken_and_says_what_to_do() {
        let said = program().args(["run", "custom-html", "browser/99-new"]).assert().code(2).get_output().clone();
        let want = "custom-html/browser/99-new.rs was not built in; rebuild cc-ci: cargo build\n";
        assert_eq!(String::from_utf8_lossy(&said.stdout), want);
    }

    #[test]
    fn a_folder_that_differs_from_what_was_built_in_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let run = ["run", "custom-html", "browser/10-page", "--folder"];
        let said = program().args(run).arg(folder.path()).assert().code(2).get_output().clone();
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(text.contains("10-page.rs has changed since it was built in"), "{text}");
    }

    #[test]
    fn a_test_without_the_values_of_a_run_is_broken() {
        let said = program().args(["run", "custom-html", "browser/10-page"]).assert().code(2).get_output().clone();
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(text.ends_with("the variable CCCI_EXEC is not set\n"), "{text}");
    }

    #[test]
    fn the_list_has_every_test() {
        let said = program().arg("list").assert().success().get_output().clone();
        assert!(String::from_utf8_lossy(&said.stdout).lines().any(|line| line == "custom-html browser/10-page"));
    }
}
