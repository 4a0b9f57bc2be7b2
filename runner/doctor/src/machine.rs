//! The machine under the engine: programs, names, disk, clock.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use harness::browser::PACKAGES;
use swarm::Swarm;

use super::DoctorFinding;
use host::guard::{self, Facts, Reserves, lacks};
use host::settings::Settings;

/// Multiple of the reserve below which free space is a warning.
const EARLY: u64 = 2;

/// Tolerance of the engine's clock, in seconds.
const SKEW: i64 = 2;

/// Programs that every run may start, with their Debian packages.
const PROGRAMS: [(&str, &str); 4] = [("bash", "bash"), ("curl", "curl"), ("docker.io", "docker"), ("git", "git")];

/// The programs that cc-ci and the recipes' tests start. A missing browser only breaks tests that need one.
pub(super) fn programs(path: &OsStr) -> Vec<DoctorFinding> {
    let is_there = |program: &str| std::env::split_paths(path).any(|folder| folder.join(program).is_file());
    let lacks = |all: &[(&'static str, &'static str)]| -> (Vec<&'static str>, Vec<&'static str>) {
        all.iter().filter(|(_, program)| !is_there(program)).map(|(package, program)| (*program, *package)).unzip()
    };
    let mend = |packages: &[&str]| format!("apt-get install {}", packages.join(" "));
    let mut found = Vec::new();
    let (missing, packages) = lacks(&PROGRAMS);
    if !missing.is_empty() {
        found.push(DoctorFinding::bad("programs", format!("not on PATH: {}", missing.join(", ")), &mend(&packages)));
    }
    let (missing, packages) = lacks(&PACKAGES);
    if !missing.is_empty() {
        let what = format!("not on PATH: {}; tests in a browser are broken", missing.join(", "));
        found.push(DoctorFinding::warn("programs", what, &mend(&packages)));
    }
    if found.is_empty() {
        found.push(DoctorFinding::ok("programs", "what cc-ci and tests start is on PATH, a browser too"));
    }
    found
}

pub(super) async fn dns(settings: &Settings) -> DoctorFinding {
    let base = &settings.base_domain;
    if let Some(address) = settings.fixed_address() {
        return DoctorFinding::ok("DNS", format!("names below {base} resolve to {address} without DNS"));
    }
    let name = format!("cc-ci-doctor.{base}");
    let lookup = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((name.as_str(), 443))).await;
    let address = lookup.ok().and_then(Result::ok).and_then(|mut found| found.next());
    match address {
        Some(address) => DoctorFinding::ok("DNS", format!("{name} is {}", address.ip())),
        None => DoctorFinding::bad(
            "DNS",
            format!("{name} does not resolve"),
            &format!("add a wildcard record *.{base}, or set --address"),
        ),
    }
}

/// Free space on the engine's node and in the state folder. It is bad if even the smallest run would be refused.
pub(super) async fn room(settings: &Settings) -> Vec<DoctorFinding> {
    let found = async {
        let state = settings.state_dir()?;
        guard::look(&Swarm::connect().await?, &state).await
    };
    if let Ok(Err(finding)) = settings.state_dir().map(|state| writable(&state)) {
        return vec![finding];
    }
    let facts = match found.await {
        Ok(facts) => facts,
        Err(failure) => return vec![DoctorFinding::bad("room", failure.what, &failure.look_at)],
    };
    judged(&facts, &Reserves::of(&settings.guards, Some(0)))
}

/// Whether the state folder is writable; otherwise its free space is irrelevant.
fn writable(state: &Path) -> Result<(), DoctorFinding> {
    let tried = std::fs::create_dir_all(state).and_then(|()| tempfile::tempfile_in(state));
    tried.map(drop).map_err(|error| {
        let what = format!("the state folder {} cannot be written to: {error}", state.display());
        DoctorFinding::bad(
            "room",
            what,
            "the rights of that folder and how its disk is mounted; or another --state (CCCI_STATE)",
        )
    })
}

fn judged(facts: &Facts, wanted: &Reserves) -> Vec<DoctorFinding> {
    // An early warning leaves time to act.
    let soon =
        Reserves { docker: wanted.docker.saturating_mul(EARLY), state: wanted.state.saturating_mul(EARLY), ..*wanted };
    let (bad, all) = (lacks(facts, wanted), lacks(facts, &soon));
    let mut found: Vec<DoctorFinding> =
        bad.iter().map(|lack| DoctorFinding::bad("room", lack.to_string(), lack.look_at())).collect();
    for lack in all.iter().filter(|lack| bad.iter().all(|known| known.thing != lack.thing)) {
        found.push(DoctorFinding::warn("room", format!("soon too little: {lack}"), lack.look_at()));
    }
    let (root, disk) = &facts.docker;
    if disk.is_none() {
        let what = format!(
            "the free space in {root} is unknown: the engine is not on this machine, and no backup bot runs there"
        );
        found.push(DoctorFinding::warn("room", what, "cc-ci up"));
    }
    if found.is_empty() {
        found.push(DoctorFinding::ok("room", facts.to_string()));
    }
    found
}

pub(super) async fn clock() -> DoctorFinding {
    let Ok(swarm) = Swarm::connect().await else {
        return DoctorFinding::warn("clock", "the engine does not answer, so its clock cannot be compared", "");
    };
    let time = swarm.docker().info().await.ok().and_then(|info| info.system_time);
    let Some(engine) = time.and_then(|text| text.parse::<jiff::Timestamp>().ok()) else {
        return DoctorFinding::warn("clock", "the engine reports no time", "");
    };
    let skew = (jiff::Timestamp::now().as_second() - engine.as_second()).abs();
    if skew <= SKEW {
        DoctorFinding::ok("clock", "the engine's clock and this one agree")
    } else {
        DoctorFinding::bad("clock", format!("the engine's clock is {skew} s off"), "timedatectl set-ntp true")
    }
}

#[cfg(test)]
mod tests {
    use swarm::{DiskRoom, MemoryRoom};

    use super::super::Level;
    use super::*;

    #[test]
    fn programs_that_are_not_there_are_named_with_their_packages() {
        let dir = tempfile::tempdir().unwrap();
        let all = PROGRAMS.iter().chain(&PACKAGES);
        all.for_each(|(_, program)| std::fs::write(dir.path().join(program), "").unwrap());
        let found = || programs(dir.path().as_os_str());
        assert_eq!(found().iter().map(|one| one.level).collect::<Vec<_>>(), [Level::Ok]);
        std::fs::remove_file(dir.path().join("certutil")).unwrap();
        std::fs::remove_file(dir.path().join("git")).unwrap();
        let [bad, warn] = &found()[..] else { panic!("{:?}", found()) };
        assert_eq!((bad.level, bad.mend.as_deref()), (Level::Bad, Some("apt-get install git")));
        assert_eq!((warn.level, warn.mend.as_deref()), (Level::Warn, Some("apt-get install libnss3-tools")));
    }

    #[test]
    fn a_state_folder_that_cannot_be_written_to_is_told_as_that() {
        let dir = tempfile::tempdir().unwrap();
        assert!(writable(&dir.path().join("new")).is_ok());
        // A file in place of the folder: permissions do not restrict root.
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(writable(&file).unwrap_err().what.contains("cannot be written to"));
    }

    #[test]
    fn a_node_that_will_be_full_soon_is_told_before_it_is() {
        let wanted = Reserves { docker: 100, docker_inodes: 10, state: 10, memory: 10 };
        let levels = |free| -> Vec<Level> {
            let disk = |free| Some(DiskRoom { free, total: 1_000, inodes: None });
            let facts = Facts {
                node: "one".to_owned(),
                docker: ("/data".to_owned(), free),
                state: ("/state".to_owned(), disk(500)),
                memory: Some(MemoryRoom { available: 500, total: 1_000 }),
            };
            judged(&facts, &wanted).into_iter().map(|finding| finding.level).collect()
        };
        let disk = |free| Some(DiskRoom { free, total: 1_000, inodes: None });
        assert_eq!(levels(disk(500)), [Level::Ok]);
        assert_eq!(levels(disk(150)), [Level::Warn]);
        assert_eq!(levels(disk(50)), [Level::Bad]);
        assert_eq!(levels(None), [Level::Warn]);
    }
}
