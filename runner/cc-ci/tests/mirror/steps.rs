//! What a mirror does and what it leaves alone. Each step goes on from the one before.

use std::process::Command;

use base::failure::Kind;
use bot::settings::forge::ForgeArgs;
use clap::Parser as _;
use host::settings::Settings;
use http_client::Method;
use nightly::{Enrolled, Sources as _};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::scene::{REPO, Scene, git, said};

pub(crate) async fn a_mirror_is_made(scene: &Scene) {
    let said = scene.mirrors();
    assert!(said.out.contains("coop/custom-html made"), "{}", said.out);
    assert_eq!(scene.there(), scene.upstreams(), "all branches and tags, and none of upstream's pull requests");
    assert!(scene.there().len() > 20);
    assert_eq!(scene.root.gets(&format!("repos/{REPO}")).await["default_branch"], "main");
}

pub(crate) async fn nothing_new_pushes_nothing(scene: &Scene) {
    let (said, seen) = scene.watched(&mut scene.command("custom-html"));
    assert!(said.out.contains("nothing was pushed") && !said.out.contains("made"), "{}", said.out);
    assert!(seen.contains("\nls-remote\n") && !seen.contains("\npush\n") && !seen.contains("\nfetch\n"), "{seen}");
}

pub(crate) async fn what_upstream_has_new_is_pushed(scene: &Scene) {
    let commit = scene.commits("main");
    git(&scene.upstream(), &["tag", "--annotate", "--message", "x", "9.0.0+1.22.1", &commit]);
    git(&scene.upstream(), &["branch", "a/new-one", &commit]);
    let said = scene.mirrors();
    assert!(said.out.contains("3 refs pushed") && said.out.contains("moved forward"), "{}", said.out);
    assert_eq!(scene.there(), scene.upstreams());
    // What upstream removes stays: somebody may work with it.
    git(&scene.upstream(), &["branch", "-D", "a/new-one"]);
    assert!(scene.mirrors().out.contains("nothing was pushed"));
    assert!(scene.there().contains_key("refs/heads/a/new-one"));
}

pub(crate) async fn a_tag_that_moved_stays(scene: &Scene) {
    let before = scene.there();
    git(&scene.upstream(), &["tag", "--force", "--annotate", "--message", "y", "9.0.0+1.22.1", "main~1"]);
    let said = scene.mirrors();
    assert!(said.out.contains("tags/9.0.0+1.22.1") && said.out.contains("upstream has moved the tag"), "{}", said.out);
    assert!(said.out.contains("nothing was pushed"), "{}", said.out);
    assert_eq!(scene.there(), before);
}

pub(crate) async fn a_branch_that_diverged_stays(scene: &Scene) {
    let branch = "good/readme-only";
    let ours = scene.ada.commits(REPO, branch, "ours", false).await;
    let said = scene.mirrors();
    assert!(said.out.contains("the mirror has commits there"), "{}", said.out);
    scene.commits(branch);
    let main = scene.commits("main");
    let said = scene.mirrors();
    assert!(said.out.contains("the mirror has commits there") && said.out.contains("1 ref pushed"), "{}", said.out);
    assert_eq!(scene.there()[&format!("refs/heads/{branch}")], ours);
    assert_eq!(scene.there()["refs/heads/main"], main, "the others go on");
}

pub(crate) async fn branches_of_pull_requests_stay(scene: &Scene) {
    let commit = scene.ada.commits(REPO, "my-fix", "fix", true).await;
    let number = scene.ada.opens(REPO, "my-fix").await;
    // One whose branch upstream has too, and moves.
    let other = scene.ada.opens(REPO, "good/new-secret").await;
    let before = scene.there();
    scene.commits("good/new-secret");
    let said = scene.mirrors();
    assert!(said.out.contains("the branch of an open pull request"), "{}", said.out);
    assert_eq!(scene.there(), before);
    assert_eq!(before["refs/heads/my-fix"], commit);
    assert_eq!(before[&format!("refs/pull/{number}/head")], commit);
    // Closed, it is a branch like any other.
    let path = format!("repos/{REPO}/pulls/{other}");
    assert_eq!(scene.ada.tries(Method::PATCH, &path, Some(json!({ "state": "closed" }))).await.0, 201);
    assert!(scene.mirrors().out.contains("1 ref pushed"));
    assert_eq!(scene.there()["refs/heads/good/new-secret"], scene.upstreams()["refs/heads/good/new-secret"]);
}

pub(crate) async fn a_token_is_nowhere_to_be_seen(scene: &Scene) {
    scene.commits("main");
    let (said, seen) =
        scene.watched(scene.command("custom-html").env("GIT_CURL_VERBOSE", "1").env("CCCI_LOG", "trace"));
    assert!(seen.contains("\npush\n"), "git was watched");
    let token = scene.bot.token.expose_secret();
    for text in [&seen, &said.out, &said.err] {
        assert!(!text.contains(token), "the token is in a log, an argument or the environment");
    }
}

pub(crate) async fn a_wrong_token_is_told(scene: &Scene) {
    let file = scene.path("wrong");
    for (text, words) in [("hunter2hunter2", "does not know the bot's token"), ("two words", "contains no token")] {
        std::fs::write(&file, text).unwrap();
        let said = said(scene.command("custom-html").env("CCCI_FORGE_TOKEN_FILE", &file));
        assert!(said.code == 2 && said.err.contains(words) && !said.err.contains(text), "{} {}", said.code, said.err);
    }
    let said = said(scene.command("custom-html").env_remove("CCCI_FORGE_OWNER"));
    assert!(said.code == 2 && said.err.contains("--forge-owner"), "{}", said.err);
}

pub(crate) async fn a_private_mirror_is_cloned_with_the_token_and_not_without(scene: &Scene) {
    let made = said(scene.command("keycloak").arg("--private"));
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    assert_eq!(scene.root.gets("repos/coop/keycloak").await["private"], true);

    let source = format!("{}/coop/keycloak.git", scene.url);
    let plan = || {
        let mut command = scene.command("keycloak");
        command.env_remove("CCCI_FORGE_URL").env_remove("CCCI_FORGE_OWNER").env_remove("CCCI_FORGE_TOKEN_FILE");
        command.env("CCCI_RECIPES", concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes"));
        let mut plan = Command::new(command.get_program());
        plan.args(["plan", "keycloak", "--json", "--source", &source]).current_dir(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => plan.env(name, value),
                None => plan.env_remove(name),
            };
        }
        plan
    };
    let without = said(&mut plan());
    assert!(without.code != 0 && without.err.contains("requires a login"), "{} {}", without.code, without.err);
    let mut with = plan();
    with.env("CCCI_CLONE_FORGE", &scene.url).env("CCCI_CLONE_TOKEN_FILE", scene.path("token"));
    let (planned, seen) = scene.watched(&mut with);
    assert!(planned.out.contains("\"stages\""), "{}", planned.out);
    let token = scene.bot.token.expose_secret();
    for text in [&seen, &planned.out, &planned.err] {
        assert!(!text.contains(token), "the token is in a log, an argument or the environment");
    }
    let elsewhere = said(with.env("CCCI_CLONE_FORGE", "https://git.example.org"));
    assert!(elsewhere.code != 0 && elsewhere.err.contains("requires a login"), "{}", elsewhere.err);

    let public = said(scene.command("custom-html").arg("--private"));
    assert!(public.code == 2 && public.err.contains("exists already and is public"), "{}", public.err);
}

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    forge: ForgeArgs,
}

pub(crate) async fn a_sweep_asks_the_mirror_where_there_is_one(scene: &Scene) {
    let enrolled = |forge: &str| {
        let (token, sources) = (scene.path("token"), scene.path("upstream"));
        let recipes = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes");
        let words = [
            ("--recipes", recipes),
            ("--sources", sources.to_str().unwrap()),
            ("--forge-url", forge),
            ("--forge-owner", "coop"),
            ("--forge-token-file", token.to_str().unwrap()),
        ];
        let words = words.into_iter().flat_map(|(flag, value)| [flag, value]);
        let flags = Flags::try_parse_from(["cc-ci"].into_iter().chain(words)).unwrap();
        Enrolled::new(flags.settings, flags.forge.named().unwrap())
    };
    let newest = async |forge: &str, recipe: &str| enrolled(forge).newest(&recipe.parse().unwrap()).await;
    // The private one, with the bot's token.
    let mirrored = newest(&scene.url, "keycloak").await.unwrap().unwrap();
    assert_eq!(mirrored.source, format!("{}/coop/keycloak.git", scene.url));
    // One that has no mirror, where a run would take it.
    let own = newest(&scene.url, "gitea").await.unwrap().unwrap();
    assert_eq!(own.source, scene.path("upstream/gitea").to_str().unwrap());
    for (found, name) in [(&mirrored, "keycloak"), (&own, "gitea")] {
        let upstream = scene.path("upstream").join(name);
        let head = said(Command::new("git").arg("-C").arg(upstream).args(["rev-parse", "HEAD"])).out;
        assert_eq!(found.heads.main.as_str(), head.trim(), "{name}");
        assert!(!found.heads.tags.is_empty(), "{name}");
    }
    assert_eq!(newest(&scene.url, "not-enrolled").await.unwrap(), None, "it has no folder");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = newest(&format!("http://{nobody}"), "gitea").await.unwrap_err();
    assert_eq!(away.kind, Kind::SourceUnreachable, "{away}");
    let all = enrolled(&scene.url).recipes().unwrap();
    assert!(all.iter().any(|recipe| recipe.as_str() == "custom-html"), "{all:?}");
}

pub(crate) async fn a_bot_without_rights_is_told(scene: &Scene) {
    let eve = scene.root.makes("eve").await;
    std::fs::write(scene.path("eve"), eve.token.expose_secret()).unwrap();
    let as_eve = |recipe: &str| said(scene.command(recipe).env("CCCI_FORGE_TOKEN_FILE", scene.path("eve")));
    let said = as_eve("custom-html");
    assert!(said.code == 2 && said.err.contains("may not push to coop/custom-html"), "{}", said.err);
    let said = as_eve("n8n");
    assert!(said.code == 2 && said.err.contains("403"), "{}", said.err);
}

pub(crate) async fn an_enrolment_is_proposed_once(scene: &Scene) {
    let enrols = || said(scene.command("custom-html").args(["--enrol", "--enrol-into", "coop/cc-ci"]));
    let first = enrols();
    assert!(first.code == 0 && first.out.contains("coop/cc-ci#1 opened"), "{}{}", first.out, first.err);
    let path = "repos/coop/cc-ci/contents/recipes/custom-html";
    let files = scene.root.gets(&format!("{path}?ref=enrol/custom-html")).await;
    let names: Vec<&str> = files.as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"recipe.toml") && names.contains(&"PARITY.md"), "{names:?}");
    let pull = scene.root.gets("repos/coop/cc-ci/pulls/1").await;
    assert_eq!((&pull["title"], &pull["base"]["ref"]), (&json!("Enrol custom-html"), &json!("main")));
    assert!(pull["changed_files"].as_u64().unwrap() >= 3, "{pull}");
    assert!(enrols().out.contains("coop/cc-ci#1 enrols custom-html, and is left as it is"));
    // Declined is declined.
    scene.root.tries(Method::PATCH, "repos/coop/cc-ci/pulls/1", Some(json!({ "state": "closed" }))).await;
    assert!(enrols().out.contains("left as it is"));
    assert_eq!(scene.root.gets("repos/coop/cc-ci/pulls?state=all").await.as_array().unwrap().len(), 1);
    // Merged by hand, it is there.
    scene.root.posts("repos/coop/cc-ci/contents/recipes/custom-html/x", json!({ "content": "eA==" })).await;
    assert!(enrols().out.contains("custom-html is enrolled"));
}

pub(crate) async fn an_enrolment_goes_on_after_a_crash(scene: &Scene) {
    scene.ada.commits("coop/cc-ci", "enrol/gitea", "half", true).await;
    let said = said(scene.command("gitea").args(["--enrol", "--enrol-into", "coop/cc-ci"]));
    assert!(said.code == 0 && said.out.contains("#2 opened"), "{}{}", said.out, said.err);
    let said = crate::scene::said(scene.command("gitea").args(["--enrol", "--enrol-into", "coop/cc-ci"]));
    assert!(said.out.contains("#2 enrols gitea"), "{}", said.out);
}
