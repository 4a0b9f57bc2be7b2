//! The client of Drone's API against a stand-in.
//!
//! **The stand-in is not Drone**: `testbed/drone` says which of its behaviour was seen on a real one, which was read,
//! and which is assumed.

#[cfg(test)]
mod tests {
    use forge::drone::{BuildEnd, BuildStanding, Drone, DroneError, NewBuild, Parameters};
    use forge::names::Repo;
    use http_client::{Http, HttpConfig};
    use testdrone::{COMMIT, StandIn, TOKEN};

    fn repo() -> Repo {
        "coop/cc-ci".parse().unwrap()
    }

    fn build(comment: &str) -> NewBuild {
        let parameters = Parameters::default()
            .with("CCCI_COMMENT", comment)
            .and_then(|all| all.with("CCCI_ONLY", "backup,functional/20 & more=1?#%"))
            .unwrap();
        let (branch, commit) = (Some("main".parse().unwrap()), Some(COMMIT.parse().unwrap()));
        NewBuild { repo: repo(), branch, commit, parameters }
    }

    async fn drone() -> (Drone, StandIn) {
        let server = StandIn::start().await;
        let http = Http::new(&HttpConfig::default()).unwrap();
        (Drone::new(http, server.url(), TOKEN.into()), server)
    }

    #[tokio::test]
    async fn a_build_is_started_asked_about_and_stopped() {
        let (drone, server) = drone().await;
        let made = drone.start(&build("7")).await.unwrap();
        assert_eq!((made.number, made.standing, made.commit.unwrap().as_str()), (1, BuildStanding::Waiting, COMMIT));
        assert_eq!(server.parameter(1, "CCCI_ONLY").as_deref(), Some("backup,functional/20 & more=1?#%"));
        let end = async || {
            let build = drone.build(&repo(), 1).await.unwrap();
            (build.standing, BuildEnd::of(&build, None))
        };
        server.runs(1);
        assert_eq!(end().await, (BuildStanding::Running, None));
        for code in [0, 10, 14] {
            server.exits(1, code);
            let standing = if code == 0 { BuildStanding::Passed } else { BuildStanding::Failed };
            assert_eq!(end().await, (standing, Some(BuildEnd::Exited { code })));
        }
        server.exits(1, 137);
        assert_eq!(end().await, (BuildStanding::Failed, Some(BuildEnd::Killed)));
        server.breaks(1, "no such image");
        assert_eq!(end().await, (BuildStanding::Broken, Some(BuildEnd::Error { why: "no such image".to_owned() })));
        server.runs(1);
        drone.stop(&repo(), 1).await.unwrap();
        assert_eq!(end().await, (BuildStanding::Stopped, Some(BuildEnd::Cancelled)));
        // No effect on a build that is over.
        drone.stop(&repo(), 1).await.unwrap();
        assert_eq!(end().await.0, BuildStanding::Stopped);
        server.runs(1);
        server.loses_the_next_cancel();
        server.cancel(1);
        assert_eq!(end().await.1, Some(BuildEnd::Cancelled));
    }

    #[tokio::test]
    async fn a_limit_that_struck_is_told_from_a_cancel_by_the_time_it_took() {
        let (drone, server) = drone().await;
        drone.start(&build("7")).await.unwrap();
        server.runs(1);
        server.hits_the_time_limit(1);
        let limit = drone.repository(&repo()).await.unwrap().time_limit();
        let build = drone.build(&repo(), 1).await.unwrap();
        assert_eq!(BuildEnd::of(&build, limit), Some(BuildEnd::TimeLimit { minutes: 60 }));
    }

    #[tokio::test]
    async fn an_approval_is_asked_for_by_the_stage() {
        let (drone, server) = drone().await;
        server.repository(|known| known.asks_for_approval = true);
        drone.start(&build("7")).await.unwrap();
        assert_eq!(drone.build(&repo(), 1).await.unwrap().standing, BuildStanding::Blocked);
    }

    #[tokio::test]
    async fn a_restart_has_the_same_parameters_and_names_its_parent() {
        let (drone, server) = drone().await;
        drone.start(&build("7")).await.unwrap();
        server.exits(1, 10);
        assert_eq!(server.restart(1), 2);
        assert_eq!(drone.build(&repo(), 2).await.unwrap().parent, Some(1));
        let first = drone.started_with(&repo(), "CCCI_COMMENT", "7").await.unwrap().unwrap();
        assert_eq!((first.number, first.parent), (1, None));
        let newest = drone.newest_with(&repo(), "CCCI_COMMENT", &["7", "8"]).await.unwrap();
        assert_eq!(
            newest.into_iter().map(|(value, build)| (value, build.number)).collect::<Vec<_>>(),
            [("7".to_owned(), 2)]
        );
    }

    #[tokio::test]
    async fn the_log_of_a_step_is_read_by_its_numbers() {
        let (drone, server) = drone().await;
        drone.start(&build("7")).await.unwrap();
        server.runs(1);
        let step = drone.build(&repo(), 1).await.unwrap().step.unwrap();
        assert!(matches!(drone.log(&repo(), 1, &step).await, Err(DroneError::NoBuild { .. })), "it has none");
        server.prints(1, &["one", "two"]);
        assert_eq!(drone.log(&repo(), 1, &step).await.unwrap(), ["one", "two"]);
    }

    /// The only slow response: Drone's three attempts at the forge.
    #[tokio::test]
    async fn a_missing_file_is_waited_for_and_then_known() {
        let (drone, server) = drone().await;
        server.repository(|known| drop(known.branches.insert("main".to_owned(), None)));
        let error = drone.start(&build("7")).await.unwrap_err();
        assert!(matches!(error, DroneError::NoFile { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_build_is_found_by_its_parameter() {
        let (drone, _server) = drone().await;
        assert_eq!(drone.started_with(&repo(), "CCCI_COMMENT", "7").await, Ok(None));
        let first = drone.start(&build("7")).await.unwrap();
        drone.start(&build("77")).await.unwrap();
        assert_eq!(drone.started_with(&repo(), "CCCI_COMMENT", "7").await, Ok(Some(first)));
    }

    #[tokio::test]
    async fn a_lost_answer_and_a_drone_that_is_down_are_the_same_to_the_caller() {
        let (drone, server) = drone().await;
        server.is_down(true);
        assert!(matches!(drone.start(&build("7")).await, Err(DroneError::Unreachable { .. })));
        server.is_down(false);
        assert_eq!(drone.started_with(&repo(), "CCCI_COMMENT", "7").await, Ok(None));
        server.loses_the_next_answer();
        assert!(matches!(drone.start(&build("7")).await, Err(DroneError::Unreachable { .. })));
        assert_eq!(drone.started_with(&repo(), "CCCI_COMMENT", "7").await.unwrap().unwrap().number, 1);
    }

    #[tokio::test]
    async fn refusals_are_told_apart_and_show_no_token() {
        let (drone, server) = drone().await;
        let http = Http::new(&HttpConfig::default()).unwrap();
        let wrong = Drone::new(http.clone(), server.url(), "hunter2hunter2".into());
        let error = wrong.start(&build("7")).await.unwrap_err();
        assert!(matches!(error, DroneError::Token { status: 401, .. }), "{error}");
        assert!(!format!("{error} {error:?} {wrong:?}").contains("hunter2"));

        server.repository(|known| known.may_write = false);
        assert!(matches!(drone.start(&build("7")).await, Err(DroneError::Missing { .. })));
        server.repository(|known| (known.may_write, known.active) = (true, false));
        assert!(matches!(drone.start(&build("7")).await, Err(DroneError::NotActivated { .. })));
        server.repository(|known| {
            known.active = true;
            known.branches.insert("main".to_owned(), Some("kind: pipeline\ntrigger: { event: [push] }\n".to_owned()));
        });
        assert!(matches!(drone.start(&build("7")).await, Err(DroneError::NoPipeline { .. })));
        server.repository(|known| *known = testdrone::RepositorySettings::default());

        let elsewhere = NewBuild { repo: "coop/none".parse().unwrap(), ..build("7") };
        assert!(matches!(drone.start(&elsewhere).await, Err(DroneError::Missing { .. })));
        let unknown = NewBuild { commit: Some("f".repeat(40).parse().unwrap()), ..build("7") };
        assert!(matches!(drone.start(&unknown).await, Err(DroneError::Missing { .. })));
        assert!(matches!(drone.build(&repo(), 9).await, Err(DroneError::NoBuild { .. })));
        assert!(matches!(drone.stop(&repo(), 9).await, Err(DroneError::NoBuild { .. })));

        let elsewhere = Drone::new(http.clone(), server.url().join("elsewhere").unwrap(), TOKEN.into());
        let error = elsewhere.start(&build("7")).await.unwrap_err();
        let refusal = elsewhere.refusal(&repo(), None, &error).await;
        assert!(
            refusal.what.starts_with("what answers at its address is no Drone")
                && refusal.look_at.contains("CCCI_DRONE_URL")
        );

        let nowhere = Drone::new(http, "http://127.0.0.1:1".parse().unwrap(), TOKEN.into());
        let error = nowhere.start(&build("hunter2")).await.unwrap_err();
        assert!(matches!(error, DroneError::Unreachable { .. }) && !error.to_string().contains("hunter2"), "{error}");
    }
}
