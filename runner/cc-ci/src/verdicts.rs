//! `docs/verdicts.md`, the page for maintainers of recipes: what each verdict, kind of failure and note means, an example,
//! and what to do. Made from the code: a kind without its row does not compile.

mod advice;

use base::failure::{Cause, Kind};
use base::messages::Speaker;

pub use advice::{Advice, advice};

use crate::reference::{code, section, table};

/// The causes, in the order of the page.
const CAUSES: [Cause; 5] = [Cause::Recipe, Cause::Test, Cause::BaseRelease, Cause::Dependency, Cause::Infrastructure];

/// Who has to act, and how.
fn of_cause(cause: Cause) -> [&'static str; 2] {
    match cause {
        Cause::Recipe => ["the tested commit is at fault", "change the recipe; the kind below says what to look at"],
        Cause::Test => [
            "a check of cc-ci's folder for the recipe is at fault, or nothing was tested",
            "change the test; the recipe may be right",
        ],
        Cause::BaseRelease => [
            "the release that the upgrade starts from does not work, so the upgrade could not be shown",
            "look at the fresh install, which says how the change itself fares; the change need not wait",
        ],
        Cause::Dependency => [
            "an app that the run deployed for the recipe does not work",
            "look at that app's recipe; this change is neither right nor wrong by it",
        ],
        Cause::Infrastructure => [
            "the machine, the engine, a registry, a forge, the world or cc-ci itself; it says nothing about the recipe",
            "tell the operator; then the same word again (`!testme`)",
        ],
    }
}

/// Words of a verdict that are no failure: what it is, an example, what to do.
const WORDS: [[&str; 4]; 5] = [
    [
        "passed",
        "every stage that was planned ran and was green",
        "`passed: hut at 1a2b3c4, upgraded from 1.0.0, 7 stages in 41 s`",
        "read what stands behind it: skipped stages and what was not shown",
    ],
    [
        "not shown",
        "a stage passed, and what it should show could not be seen: a backup of a recipe without `data/` shows that \
         files come back, and nothing of a database",
        "`…; not shown: that the app's data comes back from its dump (the recipe's folder has no data/)`",
        "bring `data/seed`, `data/wipe` and `data/check` in cc-ci's folder for the recipe: docs/enroll-recipe.md",
    ],
    [
        "nothing was tested",
        "no stage ran of what was asked for; exit code 11",
        "`nothing was tested: the recipe's folder brings no functional test`",
        "`cc-ci plan` says what each stage would run",
    ],
    [
        "blocked",
        "a stage could not run, for the machine's sake or because an earlier one is red; it is never green",
        "`blocked by infrastructure in prepare: …`",
        "what stands behind it",
    ],
    ["cancelled", "a user stopped the run", "`cancelled`", "the same word again"],
];

/// Notes that change no verdict: what they begin with, what they mean, what to do.
const NOTES: [[&str; 3]; 24] = [
    [
        "volumes that the backup labels do not cover",
        "these volumes are in no backup",
        "label them, or say in the README that they hold nothing to keep",
    ],
    ["no service is labelled for backup", "nothing of the app is backed up", "`backupbot.backup=true` and its paths"],
    [
        "the release … was labelled for backup, and this change is not",
        "operators lose their backups with this upgrade",
        "put the label back, or say so in the release's note",
    ],
    [
        "the backup was tried once more, the restore was tried once more",
        "another backup held the bot's repository at the first try; the second one counts",
        "nothing, unless it comes often: then when the server's own backups run",
    ],
    [
        "… was pulled at the second try, the repository was cloned at the second try",
        "a trouble of the network or of a registry that passed; no other thing is tried twice",
        "nothing, unless it comes often",
    ],
    [
        "the backup bot did not say which snapshot it made",
        "the snapshot was found by its time, and stays in the bot's repository",
        "`restic forget` in the bot's container",
    ],
    [
        "… has depends_on: …, and no service is called so",
        "swarm and abra ignore it; docker compose refuses it",
        "the name of the service",
    ],
    [
        "new in .env.sample, added to the app's env file",
        "operators' env files lack it after the upgrade",
        "a default, or a release note",
    ],
    [
        "changed in .env.sample, which operators' env files do not follow",
        "the upgrade ran with the old values, which operators keep; only a fresh install has the new ones",
        "a release note, where operators should change theirs",
    ],
    [
        "secret …: .env.sample goes from v1 to v2",
        "operators keep the old version until they change it; nothing shows an app that goes from one to the other",
        "a release note with the setting and `abra app secret generate`",
    ],
    [
        "abra does not remove objects of … that the change no longer has",
        "old services run on and hold their routes and ports; volumes, networks, configs and secrets stay",
        "the printed commands in the release note",
    ],
    [
        "the version goes from … to …",
        "the step is smaller than the change: new settings ask for a minor one, a renamed volume or a new major of an \
         image for a major one",
        "the version label; operators read it before they upgrade",
    ],
    [
        "operators may have to act, and no note below release/ is new",
        "`abra app upgrade` shows those notes, and there is none",
        "release/VERSION, or release/next",
    ],
    [
        "POST_DEPLOY_CMDS=… in .env.sample was not run",
        "abra runs such commands once the app is up; they are code of the recipe's repository, which runs only where an \
         operator approved the recipe, so what they set up is not tested",
        "ask the operator to approve the recipe (CCCI_APPROVED)",
    ],
    [
        "nothing here starts these services",
        "they have no replica, or swarm-cronjob starts them by the clock",
        "run them once by hand where the change touches them",
    ],
    [
        "traefik here is not known to have these entrypoints",
        "nothing asks at these routes: SSH, mail, voice",
        "try them by hand where the change touches them",
    ],
    [
        "changed since … and part of nothing that this run deploys",
        "green says nothing about these files",
        "[variant.NAME] in recipe.toml for those that operators switch on",
    ],
    [
        "compose.….yml is changed since … and in no COMPOSE_FILE of this run",
        "the file was held to docker's schema and to what the repository declares, and not deployed",
        "[variant.NAME] compose = [\"compose.….yml\"] in recipe.toml",
    ],
    [
        "functions of abra.sh that changed since … and that no run calls",
        "operators call them by `abra app cmd`",
        "run them once by hand",
    ],
    [
        "service … exited 3 times …, before it stayed up",
        "it ended itself until another service was ready, which swarm takes for a crash each time",
        "nothing, or a healthcheck for what it waits for and a loop in its entrypoint",
    ],
    [
        "service … exited … after it was up; swarm started it again",
        "nothing told it to end; the run watched until it had outlived that, or 40 s. One that ends again is a crash loop",
        "its log lines before the end, in the report",
    ],
    [
        ".env.sample begins with a byte order mark, or has \\n in double quotes",
        "readers of env files take that in two ways",
        "take it out",
    ],
    [
        "the app was up after … s, and the label … says …",
        "abra tells operators that the deploy failed when the label's seconds are over",
        "the printed value in `coop-cloud.${STACK_NAME}.timeout`",
    ],
    [
        "… uses …, and nothing sets it",
        "docker fills in nothing, so the app gets an empty value",
        "the name, a line in .env.sample (a comment will do), or a default in the file",
    ],
];

/// The whole page as Markdown.
pub fn page() -> String {
    let mut text = String::from(
        "# Verdicts\n\n\
         For maintainers of recipes: what each verdict means, an example, what to do. Made by \
         `cc-ci docs verdicts > docs/verdicts.md`; do not change it by hand.\n\n\
         A run ends with one line: the word, who has to act, the stage, and what happened. The first fault in the order \
         of the stages decides. The journal and every report name its kind, which is a row below.\n",
    );
    section(&mut text, "Words", "What stands before the colon, and what may stand behind the time.");
    table(&mut text, &["word", "meaning", "example", "what to do"], &WORDS.map(|row| row.map(str::to_owned).to_vec()));
    section(&mut text, "Who has to act", "`failed by …` or `blocked by …`.");
    let causes =
        CAUSES.map(|cause| [vec![cause.words().to_owned()], of_cause(cause).map(str::to_owned).to_vec()].concat());
    table(&mut text, &["cause", "meaning", "what to do"], &causes);
    for cause in CAUSES {
        let kinds: Vec<Vec<String>> = Kind::ALL
            .iter()
            .filter(|kind| kind.usual_cause() == cause)
            .map(|kind| {
                let Advice { example, act } = advice(*kind);
                vec![code(kind.code()), kind.meaning().to_owned(), example.to_owned(), act.to_owned()]
            })
            .collect();
        if kinds.is_empty() {
            continue;
        }
        let title = format!("Kinds that are usually of {}", cause.words());
        let intro = "In the base release or in a dependency, that one is the cause instead.";
        section(&mut text, &title, intro);
        table(&mut text, &["kind", "meaning", "example", "what to do"], &kinds);
    }
    section(&mut text, "Notes", "They change no verdict.");
    table(&mut text, &["note", "meaning", "what to do"], &NOTES.map(|row| row.map(str::to_owned).to_vec()));
    words_of_others(&mut text);
    text
}

/// The words that kinds are read from.
fn words_of_others(text: &mut String) {
    section(
        text,
        "Words of others",
        "A kind that is about the machine is often read from the words of another program. These are the words, in lower \
         case, with `…` for anything between; the first row of a program that fits decides. Words that fit no row are \
         `unknown-trouble`, `abra-failed` where abra says them, and in either case no fault of the recipe. *Seen* words \
         were said by the program, here or in a public report; *read* ones stand in its public source; *assumed* ones are \
         remembered. What may pass by itself is tried once more.",
    );
    let mut rows: Vec<Vec<String>> = Vec::new();
    for speaker in Speaker::ALL {
        for row in speaker.tables().iter().flat_map(|table| table.iter()) {
            let says = row.says.iter().map(|words| code(words)).collect::<Vec<_>>().join(", ");
            let again = if row.passes { "yes" } else { "" };
            let from = format!("{}; {}", row.source, row.basis.word());
            let cells = [speaker.words(), row.means, again, &from].map(str::to_owned);
            let [who, means, again, from] = cells;
            rows.push(vec![who, says, code(row.kind.code()), means, again, from]);
        }
    }
    table(text, &["who", "says", "kind", "meaning", "may pass", "source"], &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_the_one_that_the_code_makes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verdicts.md");
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            file == page(),
            "docs/verdicts.md is not what the code says; run: cc-ci docs verdicts > docs/verdicts.md"
        );
    }

    #[test]
    fn every_kind_has_its_row_with_an_example_and_what_to_do() {
        let page = page();
        for kind in Kind::ALL {
            let Advice { example, act } = advice(*kind);
            assert!(example.len() > 10 && act.len() > 10, "{}", kind.code());
            assert_eq!(page.matches(&format!("\n| `{}` |", kind.code())).count(), 1, "{}", kind.code());
        }
    }
}
