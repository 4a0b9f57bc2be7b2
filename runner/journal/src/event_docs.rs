//! The events of a journal, told once for the docs and for the reader.

use crate::event::Event;

/// One event of a journal, for the docs and for the reader, which knows events by these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventDoc {
    /// The value of the field `event`.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Its fields beside `seq`, `at`, `ms` and `event`, each with its meaning.
    pub fields: &'static [(&'static str, &'static str)],
}

/// The events in the order of a run.
pub const EVENTS: &[EventDoc] = &[
    EventDoc {
        name: "run-started",
        meaning: "always the first: what is tested, where, and what is planned",
        fields: &[
            ("format", "the journal's format; a reader refuses one that it does not know"),
            ("run", "the run's id: the time of its start and random letters"),
            ("restart_of", "the id of the first attempt, where a build was restarted; absent in other runs"),
            ("recipe", "the recipe"),
            ("source", "where its repository was taken from, without credentials"),
            ("head", "the full id of the tested commit"),
            ("head_subject", "the first line of that commit's message"),
            ("head_version", "the version that its compose file names, or null"),
            ("base", "the release that the upgrade starts from, or null"),
            ("pull_request", "the pull request's number, or null"),
            (
                "on_main",
                "true where the head was the newest commit of the default branch when it was cloned; else absent",
            ),
            ("domain", "the app's domain"),
            ("stack", "the app's stack"),
            ("stages", "the plan: per stage its deadline, steps, opt-outs, and the reason where it is skipped"),
            (
                "tests",
                "the files of cc-ci's folder for the recipe, each with the first 16 digits of the SHA-256 of its content; absent where there is no folder, and in journals of before",
            ),
            ("cc_ci", "cc-ci's version"),
            ("host", "host name, engine version, whether the kernel has IPVS, abra's path and version"),
        ],
    },
    EventDoc {
        name: "stage-started",
        meaning: "a stage begins",
        fields: &[
            ("stage", "which one"),
            ("deadline_s", "seconds that it may take"),
            ("expected_ms", "the median of earlier runs that passed it, or null"),
        ],
    },
    EventDoc {
        name: "progress",
        meaning: "what the run is busy with now",
        fields: &[("stage", "which one"), ("text", "one line")],
    },
    EventDoc {
        name: "abra-called",
        meaning: "a call of abra has ended",
        fields: &[("stage", "which one"), ("call", "`args`, `exit` (null where it was killed), `output`, `took_ms`")],
    },
    EventDoc {
        name: "check-ended",
        meaning: "a check has ended",
        fields: &[
            ("stage", "which one"),
            (
                "check",
                "`name`, `origin` (generic, overlay, or recipe for the recipe's own tests), `outcome`, `text`, `took_ms`, and `fault` where it is red or blocked; its `files` stand below the folder of the run. What it did, each absent where there is nothing: `exchanges` (`method`, `url`, `status` or `error`, `took_ms`, `times` where it was sent again with the same answer, and of `request` and `answer` the `type`, `location`, `challenge`, size in `bytes`, the beginning of the body as `text`, and whether it is `cut`), `exchanges_left_out` (how many more there were after the tenth), `output` (the last lines that a green check printed), `files` (what a green check left)",
            ),
        ],
    },
    EventDoc {
        name: "noted",
        meaning: "something to tell that changes no outcome",
        fields: &[("stage", "which one"), ("text", "one line")],
    },
    EventDoc {
        name: "service-logs",
        meaning: "the last log lines of a service",
        fields: &[
            ("stage", "which one"),
            ("service", "the service's short name"),
            ("text", "the lines"),
            ("cut", "whether earlier lines were cut"),
        ],
    },
    EventDoc {
        name: "task-history",
        meaning: "every task that the stack had, oldest first",
        fields: &[
            ("stage", "which one"),
            ("tasks", "each with `service`, `task`, `image`, `state`, `desired`, `error`, `exit`, `at`"),
        ],
    },
    EventDoc {
        name: "compose-deployed",
        meaning: "the compose file as it was deployed, merged and interpolated",
        fields: &[("stage", "which one"), ("version", "the version or commit"), ("yaml", "the file")],
    },
    EventDoc {
        name: "stage-ended",
        meaning: "a stage has ended",
        fields: &[
            ("stage", "which one"),
            ("outcome", "passed, failed, blocked or skipped"),
            ("fault", "`cause`, `kind`, `what`, `look_at`, `detail`; only where it is red or blocked"),
            (
                "reason",
                "why it was skipped, or what it has not shown although it passed; only where there is something to say",
            ),
            ("took_ms", "milliseconds"),
            (
                "used",
                "what the run's own apps held, in bytes: `memory_peak`, `disk`, and `apps` with the same of each; absent where nothing was measured",
            ),
        ],
    },
    EventDoc {
        name: "objects-left",
        meaning: "teardown's last list of docker objects; it must be empty",
        fields: &[("objects", "each with `kind` and `name`")],
    },
    EventDoc {
        name: "run-ended",
        meaning: "always the last; a journal without it is that of a killed run",
        fields: &[(
            "verdict",
            "`word` (`passed`, `cancelled`, or `{\"failed\": cause}`), `line`, and `decided_by` with stage and fault",
        )],
    },
];

/// The row of [`EVENTS`] that belongs to an event. Whoever adds an event is stopped here by the
/// compiler, and by a test of the reference until the row is true.
pub fn doc_of(event: &Event) -> &'static EventDoc {
    let row = match event {
        Event::RunStarted(_) => 0,
        Event::StageStarted { .. } => 1,
        Event::Progress { .. } => 2,
        Event::AbraCalled { .. } => 3,
        Event::CheckEnded { .. } => 4,
        Event::Noted { .. } => 5,
        Event::ServiceLogs { .. } => 6,
        Event::TaskHistory { .. } => 7,
        Event::ComposeDeployed { .. } => 8,
        Event::StageEnded { .. } => 9,
        Event::ObjectsLeft { .. } => 10,
        Event::RunEnded { .. } => 11,
    };
    &EVENTS[row]
}
