//! How the real abra behaves where cc-ci depends on it, in one table: the source, the confidence, and how cc-ci works
//! with either behaviour.
//!
//! If it is uncertain, abra-lite behaves in the stricter way, and in the other way if `ABRA_LITE_OTHERWISE` names the
//! point. Tests run both ways.

/// The confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Remembered by one reader.
    Low,
    /// Remembered, and consistent with an observation.
    MediumLow,
    /// Remembered by several, or inferred from observations.
    Medium,
    /// Seen in part, and nothing contradicts it.
    MediumHigh,
    /// Seen in a working script, a program or field notes, or in abra's own docs.
    High,
}

/// A point of the table.
#[expect(missing_docs, reason = "the table has a row for each")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    TerminalWanted,
    RunWantsTerminal,
    RunGoesByPrefix,
    GenerateNothingFails,
    CleanTreeForDeploys,
    CleanTreeForAll,
    SchemaFirst,
    SchemaFirstForNumbers,
    StackNameCut,
    BotGoesByDomain,
    BackupListIsShort,
    RestoreRunsHooks,
    PostCommandsAfterWait,
    PostCommandsWantTerminal,
    ExportsByPattern,
    VersionInType,
    NewTakesNoVersionInChaos,
    CatalogueWanted,
    Sha1Only,
    NameWithoutDots,
}

/// abra's behaviour at one point.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    pub point: Point,
    /// Its name for abra-lite.
    pub name: &'static str,
    /// The behaviour.
    pub does: &'static str,
    /// The possible other behaviour, if it is uncertain.
    pub otherwise: Option<&'static str>,
    pub source: &'static str,
    pub confidence: Confidence,
    /// How cc-ci handles it.
    pub so: &'static str,
}

use Confidence::{High, Low, Medium, MediumHigh, MediumLow};

const NOTES: &str = "public field notes on abra 0.13 on a real swarm, 2026";
const MEMORY: &str = "remembered of abra's source";

pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        point: Point::TerminalWanted,
        name: "terminal-wanted",
        does: "recipe lint, app backup and app restore end at once where standard input is no terminal",
        otherwise: None,
        source: NOTES,
        confidence: High,
        so: "these are called on a terminal of cc-ci's own",
    },
    Behaviour {
        point: Point::RunWantsTerminal,
        name: "run-wants-terminal",
        does: "app run without --no-tty ends at once where standard input is no terminal",
        otherwise: Some("it goes on without one"),
        source: "docker's client, whose words these are; the same was seen of backup and restore",
        confidence: MediumHigh,
        so: "app run is not called: CCCI_EXEC asks the engine itself",
    },
    Behaviour {
        point: Point::RunGoesByPrefix,
        name: "run-goes-by-prefix",
        does: "app run looks for the service by the beginning of its name, and asks where several fit, also with --no-input",
        otherwise: Some("it goes by the whole name"),
        source: "a public program that links abra's packages repeats the look-up",
        confidence: Medium,
        so: "app run is not called",
    },
    Behaviour {
        point: Point::GenerateNothingFails,
        name: "generate-nothing-fails",
        does: "secret generate --all ends with 1 where every secret is there already",
        otherwise: Some("it ends with 0"),
        source: MEMORY,
        confidence: Medium,
        so: "the swarm is asked which are missing, and abra is called only then",
    },
    Behaviour {
        point: Point::CleanTreeForDeploys,
        name: "clean-tree-for-deploys",
        does: "without --chaos, a deploy of a checkout with a changed or an untracked file ends with 1",
        otherwise: None,
        source: NOTES,
        confidence: High,
        so: "every deploy has --chaos, since cc-ci adds a compose file of its own",
    },
    Behaviour {
        point: Point::CleanTreeForAll,
        name: "clean-tree-for-all",
        does: "so does everything else that reads the recipe: secrets, backups, restores, checks",
        otherwise: Some("only deploys do"),
        source: MEMORY,
        confidence: Medium,
        so: "every such call has --chaos",
    },
    Behaviour {
        point: Point::SchemaFirst,
        name: "schema-first",
        does: "compose files are held to the schema before variables are filled in, so that no duration comes from one",
        otherwise: None,
        source: "notes of two recipes, one with its commit",
        confidence: High,
        so: "prepare.loads asks docker's loader in the same order, and names the field",
    },
    Behaviour {
        point: Point::SchemaFirstForNumbers,
        name: "schema-first-for-numbers",
        does: "nor does a number or a truth value",
        otherwise: Some("these may"),
        source: "follows from schema-first; seen of durations alone",
        confidence: Medium,
        so: "prepare notes such fields; where abra refuses them, its words are an invalid compose file",
    },
    Behaviour {
        point: Point::StackNameCut,
        name: "stack-name-cut",
        does: "a stack's name is the domain with _ for each dot, cut after 45 characters",
        otherwise: None,
        source: "remembered by several readers of abra's source",
        confidence: MediumHigh,
        so: "no domain is longer: the recipe's part is shortened, with digits that stand for the whole name",
    },
    Behaviour {
        point: Point::BotGoesByDomain,
        name: "bot-goes-by-domain",
        does: "the backup bot is told the whole domain, so that it finds no stack whose name was cut",
        otherwise: Some("it is told the stack's name"),
        source: MEMORY,
        confidence: MediumLow,
        so: "no domain is so long that the two differ",
    },
    Behaviour {
        point: Point::BackupListIsShort,
        name: "backup-list-is-short",
        does: "app backup list names only the folders of the volumes, unless --all is given",
        otherwise: Some("it names every file"),
        source: "abra's default start path is remembered; that restic lists a folder without what is below is in its manual",
        confidence: MediumLow,
        so: "--all is given, and a list of nothing but folders of volumes counts as unknown",
    },
    Behaviour {
        point: Point::RestoreRunsHooks,
        name: "restore-runs-hooks",
        does: "app restore has the bot run the restore hooks without a flag that asks for it",
        otherwise: None,
        source: "repairs of three recipes' restore hooks in 2026, found by restores through abra",
        confidence: MediumHigh,
        so: "--hooks is given where doctor --probe-abra found it in the help; a hook that did not run shows as data that is not back",
    },
    Behaviour {
        point: Point::PostCommandsAfterWait,
        name: "post-commands-after-wait",
        does: "POST_DEPLOY_CMDS and POST_UPGRADE_CMDS run after abra's own wait, and not at all with --no-converge-checks",
        otherwise: Some("they run with --no-converge-checks too"),
        source: MEMORY,
        confidence: Medium,
        so: "deploys have --no-converge-checks; what becomes of these commands is told in the report",
    },
    Behaviour {
        point: Point::PostCommandsWantTerminal,
        name: "post-commands-want-terminal",
        does: "these commands ask for a terminal, and fail where standard input is none",
        otherwise: Some("they ask for none"),
        source: MEMORY,
        confidence: Medium,
        so: "abra runs none of them for cc-ci",
    },
    Behaviour {
        point: Point::ExportsByPattern,
        name: "exports-by-pattern",
        does: "of abra.sh a line counts that begins `export NAME=x`, with all that follows to its end as the value; two exports on a line end with 1, quoted and indented ones are left out",
        otherwise: Some("exports are read as a shell reads them"),
        source: MEMORY,
        confidence: Medium,
        so: "an export that can be read in two ways, and that a compose file uses, is refused in prepare",
    },
    Behaviour {
        point: Point::VersionInType,
        name: "version-in-type",
        does: "a deploy writes the version behind the recipe's name in TYPE",
        otherwise: None,
        source: "abra's own docs on versions",
        confidence: High,
        so: "the env file is read again before each deploy",
    },
    Behaviour {
        point: Point::NewTakesNoVersionInChaos,
        name: "new-takes-no-version-in-chaos",
        does: "app new with a version and --chaos ends with 1",
        otherwise: Some("the version is passed over"),
        source: MEMORY,
        confidence: Low,
        so: "app new is given no version",
    },
    Behaviour {
        point: Point::CatalogueWanted,
        name: "catalogue-wanted",
        does: "whatever names a recipe reads catalogue/ below ABRA_DIR, and clones it where it is missing, also with --offline",
        otherwise: Some("it is not read"),
        source: "field notes link the shared one into the folder of each run; the clone is remembered",
        confidence: Medium,
        so: "each run's ABRA_DIR has a link to the operator's catalogue, or an empty one: no run needs a network for it",
    },
    Behaviour {
        point: Point::Sha1Only,
        name: "sha1-only",
        does: "a recipe's repository with SHA-256 commit ids cannot be opened",
        otherwise: Some("it is read as any other"),
        source: "field notes say that abra reads commits by go-git, whose issues 706 and 1831 say that it cannot before its version 6",
        confidence: MediumHigh,
        so: "cc-ci takes such repositories everywhere; abra's refusal is told as abra's, not the recipe's",
    },
    Behaviour {
        point: Point::NameWithoutDots,
        name: "name-without-dots",
        does: "a recipe is kept in a folder of its name with _ for each dot and slash",
        otherwise: Some("the folder has the name as it is"),
        source: MEMORY,
        confidence: MediumLow,
        so: "a recipe with a dot in its name is refused; every other name is taken",
    },
];

impl Point {
    pub fn row(self) -> &'static Behaviour {
        // A test checks that every point has a row.
        BEHAVIOURS.iter().find(|row| row.point == self).unwrap_or(&BEHAVIOURS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_has_its_row_and_what_is_unsure_has_another_way() {
        for (n, row) in BEHAVIOURS.iter().enumerate() {
            assert_eq!(row.point.row().name, row.name);
            assert!(BEHAVIOURS[..n].iter().all(|other| other.name != row.name && other.point != row.point));
            assert!(!row.source.is_empty() && !row.so.is_empty());
            assert!(row.confidence > Medium || row.otherwise.is_some(), "{}", row.name);
        }
        // The enum's last variant is the table's last row.
        assert_eq!(Point::NameWithoutDots as usize + 1, BEHAVIOURS.len());
    }
}
