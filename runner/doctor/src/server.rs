//! The requirements of a server: cc-ci's folders, registry logins, the unit, the forge.

use std::path::Path;
use std::time::Duration;

use base::failure::Failure;
use forge::api::{Forge as _, ForgeError};
use swarm::{RegistryLogins, Swarm};

use super::DoctorFinding;
use bot::settings::forge::ForgeArgs;
use host::approval::Approved;
use host::registry;
use host::settings::Settings;

/// The recipes, and the user of this process.
pub(super) fn own(settings: &Settings) -> DoctorFinding {
    let folder = &settings.recipes;
    let is_recipe = |path: &Path| path.join("recipe.toml").is_file();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = entries.filter(|entry| is_recipe(&entry.path())).count();
    if count == 0 {
        let what = format!("no folder below {} has a recipe.toml", folder.display());
        return DoctorFinding::bad("cc-ci", what, "--recipes (CCCI_RECIPES) names cc-ci's recipes");
    }
    let user = rustix::process::geteuid();
    let user = if user.is_root() { "root".to_owned() } else { format!("the user with the number {}", user.as_raw()) };
    let what = format!("runs as {user}, with {count} recipes in {}", folder.display());
    let beside = || std::env::current_exe().ok().map(|program| program.with_file_name("recipe-tests"));
    match settings.recipe_tests.clone().or_else(beside).filter(|program| !program.is_file()) {
        Some(program) => DoctorFinding::warn(
            "cc-ci",
            format!("{what}; {} does not exist, so their tests in Rust are broken", program.display()),
            "install recipe-tests next to cc-ci, or specify it: --recipe-tests (CCCI_RECIPE_TESTS)",
        ),
        None => DoctorFinding::ok("cc-ci", what),
    }
}

/// The registries with a login, its user, and the engine's mirrors.
pub(super) async fn registries(settings: &Settings) -> DoctorFinding {
    let mirrors = async { Swarm::connect().await.ok()?.docker().info().await.ok()?.registry_config?.mirrors };
    let mirrors = mirrors.await.filter(|mirrors| !mirrors.is_empty());
    let mirrors =
        mirrors.map_or_else(String::new, |all| format!("; the engine queries Docker Hub through {}", all.join(", ")));
    match logins(settings) {
        Ok(text) => DoctorFinding::ok("registries", format!("{text}{mirrors}")),
        Err(failure) => DoctorFinding::bad("registries", failure.what, &failure.look_at),
    }
}

fn logins(settings: &Settings) -> Result<String, Failure> {
    let listed = Approved::for_registry(settings.registry_recipes.as_deref(), &settings.recipes)?;
    let names: Vec<&str> = listed.recipes().map(base::names::RecipeName::as_str).collect();
    if names.is_empty() {
        return Ok("images are pulled as anyone could".to_owned());
    }
    let file = registry::file(settings);
    let known = file.as_deref().map(RegistryLogins::read).transpose()?;
    let registries = known.map(|logins| logins.registries()).unwrap_or_default();
    let with = match (&file, registries.is_empty()) {
        (None, _) => "with a login, and there is none here".to_owned(),
        (Some(file), true) => format!("with the login from the helper of {}", file.display()),
        (Some(file), false) => format!("with the logins of {} for {}", file.display(), registries.join(", ")),
    };
    Ok(format!("images of {} are pulled {with}; all others as anyone could", names.join(", ")))
}

/// Whether systemd runs `cc-ci serve`.
pub(super) async fn unit() -> DoctorFinding {
    if !Path::new("/run/systemd/system").is_dir() {
        return DoctorFinding::ok("unit", "systemd is not available: something else has to keep `cc-ci serve` running");
    }
    let ask = async |verb: &str| {
        let asked = tokio::process::Command::new("systemctl").args([verb, "cc-ci"]).kill_on_drop(true).output();
        let said = tokio::time::timeout(Duration::from_secs(5), asked).await.ok()?.ok()?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    };
    of_unit(&ask("is-enabled").await.unwrap_or_default(), &ask("is-active").await.unwrap_or_default())
}

fn of_unit(enabled: &str, active: &str) -> DoctorFinding {
    match (enabled, active) {
        ("enabled", "active") => DoctorFinding::ok("unit", "cc-ci.service is enabled and runs"),
        ("" | "not-found", _) => DoctorFinding::warn(
            "unit",
            "there is no cc-ci.service: nothing removes the apps of killed runs, and no comment is answered",
            "cc-ci docs unit > /etc/systemd/system/cc-ci.service && systemctl enable --now cc-ci",
        ),
        (enabled, active) => DoctorFinding::warn(
            "unit",
            format!("cc-ci.service is {enabled} and {active}"),
            "systemctl enable --now cc-ci; journalctl -u cc-ci",
        ),
    }
}

/// The account of the forge's token.
pub(super) async fn forge(forge: &ForgeArgs) -> DoctorFinding {
    let named = match forge.named() {
        Ok(None) => return DoctorFinding::ok("forge", "none is configured, so no pull request is answered"),
        Ok(Some(named)) => named,
        Err(failure) => return DoctorFinding::bad("forge", failure.what, &failure.look_at),
    };
    let asked = async {
        let me = named.forge.me().await?;
        let is_member = named.forge.is_member(&me.login).await?;
        Ok::<_, ForgeError>((me.login, is_member))
    };
    match asked.await {
        Ok((login, true)) => DoctorFinding::ok(
            "forge",
            format!("{} accepts the token of {login}, a member of {}", named.url, named.owner),
        ),
        Ok((login, false)) => DoctorFinding::bad(
            "forge",
            format!("{} accepts the token of {login}, who is no member of {}", named.url, named.owner),
            "as an owner of the organisation: a team with the bot, which may write code, issues and pull requests",
        ),
        Err(error) => DoctorFinding::bad(
            "forge",
            error.to_string(),
            "CCCI_FORGE_URL, and the token in CCCI_FORGE_TOKEN_FILE with its scopes: docs/operate.md, line 11",
        ),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::Level;
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        forge: ForgeArgs,
    }

    #[test]
    fn a_unit_that_does_not_run_is_told() {
        assert_eq!(of_unit("enabled", "active").level, Level::Ok);
        for (enabled, active) in
            [("", "inactive"), ("not-found", "inactive"), ("disabled", "active"), ("enabled", "failed")]
        {
            assert_eq!(of_unit(enabled, active).level, Level::Warn, "{enabled} {active}");
        }
    }

    #[test]
    fn a_folder_without_recipes_is_no_folder_of_recipes() {
        let dir = tempfile::tempdir().unwrap();
        let tests = dir.path().join("recipe-tests");
        let words = ["cc-ci", "--recipes", dir.path().to_str().unwrap(), "--recipe-tests", tests.to_str().unwrap()];
        let of = || own(&Line::parse_from(words).settings);
        assert_eq!(of().level, Level::Bad);
        std::fs::create_dir(dir.path().join("tiny")).unwrap();
        assert_eq!(of().level, Level::Bad);
        std::fs::write(dir.path().join("tiny/recipe.toml"), "").unwrap();
        assert!(of().level == Level::Warn && of().what.contains("with 1 recipes"), "{}", of().what);
        std::fs::write(&tests, "").unwrap();
        assert_eq!(of().level, Level::Ok, "the program with their tests is there");
    }

    #[test]
    fn who_is_pulled_with_a_login_is_told_and_no_value() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::create_dir_all(dir.path().join("recipes/tiny")).unwrap();
        std::fs::write(path("list"), "tiny\n").unwrap();
        std::fs::write(path("config.json"), r#"{"auths": {"ghcr.io": {"auth": "bWU6cGFzcw=="}}}"#).unwrap();
        let (recipes, login, list) = (path("recipes"), path("config.json"), path("list"));
        let of = |more: &[&str]| {
            let words = ["cc-ci", "--recipes", &recipes, "--registry-login", &login];
            logins(&Line::parse_from(words.iter().chain(more)).settings)
        };
        assert_eq!(of(&[]).unwrap(), "images are pulled as anyone could");
        let told = of(&["--registry-recipes", &list]).unwrap();
        assert!(told.starts_with("images of tiny") && told.contains("ghcr.io") && !told.contains("bWU6"), "{told}");
        std::fs::write(path("config.json"), "nonsense").unwrap();
        assert!(of(&["--registry-recipes", &list]).is_err());
    }

    #[tokio::test]
    async fn a_forge_is_asked_only_where_one_is_named() {
        assert_eq!(forge(&Line::parse_from(["cc-ci"]).forge).await.level, Level::Ok);
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "hunter2").unwrap();
        // Nothing listens on a port that was just released.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{free}");
        let words =
            ["cc-ci", "--forge-url", &url, "--forge-owner", "coop", "--forge-token-file", token.to_str().unwrap()];
        let found = forge(&Line::parse_from(words).forge).await;
        assert_eq!(found.level, Level::Bad);
        assert!(!found.what.contains("hunter2"), "{}", found.what);
    }
}
