//! Drone's record of the pipeline's repository, and the requirements on the machine.

use std::time::Duration;

use forge::drone::{DroneError, DroneRepository};
use forge::names::Repo;

use super::DoctorFinding;
use bot::settings::drone::DroneArgs;
use host::settings::Settings;

/// Time of a run after its slot; most take minutes.
const RUN: Duration = Duration::from_secs(3600);

/// Queries Drone, if one is configured.
pub(super) async fn check(settings: &Settings, drone: &DroneArgs) -> Vec<DoctorFinding> {
    let (drone, repo) = match drone.named() {
        Ok(None) => return vec![DoctorFinding::ok("Drone", "none is configured: runs are processes of this machine")],
        Ok(Some(named)) => named,
        Err(failure) => return vec![DoctorFinding::bad("Drone", failure.what, &failure.look_at)],
    };
    let found = async {
        let user = drone.user().await?;
        Ok::<_, DroneError>((user, drone.repository(&repo).await?))
    };
    match found.await {
        Ok((user, repository)) => judged(&repo, &user, &repository, settings.max_wait),
        Err(error) => {
            let mend =
                "CCCI_DRONE_URL, CCCI_DRONE_REPO, CCCI_DRONE_TOKEN_FILE; its user logs in to Drone once, or syncs";
            vec![DoctorFinding::bad("Drone", error.to_string(), mend)]
        }
    }
}

fn judged(repo: &Repo, user: &str, repository: &DroneRepository, max_wait: Duration) -> Vec<DoctorFinding> {
    let name = format!("{}/{}", repo.owner, repo.name);
    let mut found = Vec::new();
    if !repository.active {
        found.push(DoctorFinding::bad(
            "Drone",
            format!("{name} is not active: no build can be started"),
            "as an administrator of the repository: Drone, the repository, Activate",
        ));
    }
    if !repository.trusted {
        found.push(DoctorFinding::bad(
            "Drone",
            format!("{name} is not trusted: each build ends with an error of Drone's linter"),
            "as an administrator of Drone: the repository's settings, Project Settings, Trusted",
        ));
    }
    match repository.permissions {
        Some(rights) if rights.write => {}
        Some(_) => found.push(DoctorFinding::bad(
            "Drone",
            format!("{user}, the token's user, may not start builds of {name}"),
            "give that user write access to it in the forge, and sync in Drone (its first page, Sync)",
        )),
        // The same applies to an administrator of Drone without a permission for this repository.
        None => found.push(DoctorFinding::warn(
            "Drone",
            format!("Drone knows no rights of {user}, the token's user, for {name}: builds start only if it is an administrator of Drone"),
            "log in to Drone as that user, or sync there (its first page, Sync)",
        )),
    }
    let needed = max_wait + RUN;
    if let Some(limit) = repository.time_limit().filter(|limit| *limit < needed) {
        let minutes = |time: Duration| time.as_secs().div_ceil(60);
        found.push(DoctorFinding::warn(
            "Drone",
            format!(
                "{name} has a time limit of {} minutes, after which Drone kills a build, even one that waits for its slot",
                minutes(limit)
            ),
            &format!("as an administrator of Drone: the repository's settings, Timeout: {} minutes", minutes(needed)),
        ));
    }
    if repository.protected {
        found.push(DoctorFinding::warn(
            "Drone",
            format!(
                "{name} is protected: builds of a push wait until they are approved, but builds over the interface run. \
                 It keeps no one out who may write to {name}"
            ),
            "",
        ));
    }
    if found.is_empty() {
        found.push(DoctorFinding::ok("Drone", format!("{name} is active and trusted, and {user} may start builds")));
    }
    if repository.trusted {
        let what = format!(
            "all who may write to {name} are root on the machines of Drone's runners: docs/drone.md says how to keep \
             that to cc-ci's maintainers"
        );
        found.push(DoctorFinding::ok("Drone", what));
    }
    found
}

#[cfg(test)]
mod tests {
    use forge::drone::DronePermissions;

    use super::*;
    use crate::render;

    fn repository() -> DroneRepository {
        DroneRepository {
            active: true,
            trusted: true,
            protected: false,
            timeout: 240,
            config_path: ".drone.yml".to_owned(),
            default_branch: "main".to_owned(),
            permissions: Some(DronePermissions { read: true, write: true, admin: false }),
        }
    }

    fn told(repository: &DroneRepository) -> String {
        render(&judged(&"coop/cc-ci".parse().unwrap(), "cc-ci-builds", repository, Duration::from_secs(7200)))
    }

    #[test]
    fn what_is_right_is_one_line_and_who_is_root_is_said_always() {
        insta::assert_snapshot!(told(&repository()), @r#"
        ok   12  Drone            coop/cc-ci is active and trusted, and cc-ci-builds may start builds
        ok   12  Drone            all who may write to coop/cc-ci are root on the machines of Drone's runners: docs/drone.md says how to keep that to cc-ci's maintainers

        The numbers are those of "From zero" in docs/operate.md.

        this machine can run cc-ci
        "#);
    }

    #[test]
    fn each_thing_that_keeps_builds_from_running_has_its_way_out() {
        let permissions = Some(DronePermissions { read: true, write: false, admin: false });
        let wrong = DroneRepository {
            active: false,
            trusted: false,
            protected: true,
            timeout: 60,
            permissions,
            ..repository()
        };
        insta::assert_snapshot!(told(&wrong), @r#"
        BAD  12  Drone            coop/cc-ci is not active: no build can be started
                                  fix: as an administrator of the repository: Drone, the repository, Activate
        BAD  12  Drone            coop/cc-ci is not trusted: each build ends with an error of Drone's linter
                                  fix: as an administrator of Drone: the repository's settings, Project Settings, Trusted
        BAD  12  Drone            cc-ci-builds, the token's user, may not start builds of coop/cc-ci
                                  fix: give that user write access to it in the forge, and sync in Drone (its first page, Sync)
        warn 12  Drone            coop/cc-ci has a time limit of 60 minutes, after which Drone kills a build, even one that waits for its slot
                                  fix: as an administrator of Drone: the repository's settings, Timeout: 180 minutes
        warn 12  Drone            coop/cc-ci is protected: builds of a push wait until they are approved, but builds over the interface run. It keeps no one out who may write to coop/cc-ci

        The numbers are those of "From zero" in docs/operate.md.

        3 things keep this machine from running cc-ci
        "#);
        let unknown = told(&DroneRepository { permissions: None, ..repository() });
        assert!(unknown.contains("warn 12  Drone") && unknown.contains("Sync"), "{unknown}");
    }
}
