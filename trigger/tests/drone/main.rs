//! The client of Drone's interface against a stand-in.
//!
//! **The stand-in is not Drone.** Drone's server could not be had where this was made; `testbed/drone/` says what the
//! stand-in keeps to.

#[cfg(test)]
mod tests {
    use harness::http::{Http, HttpConfig};
    use testdrone::{COMMIT, StandIn, TOKEN};
    use trigger::drone::{Drone, DroneError, NewBuild, Parameters, Standing};
    use trigger::names::Repo;

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
        assert_eq!((made.number, made.standing, made.commit.unwrap().as_str()), (1, Standing::Waiting, COMMIT));
        assert_eq!(server.parameter(1, "CCCI_ONLY").as_deref(), Some("backup,functional/20 & more=1?#%"));
        for (status, standing) in [
            ("running", Standing::Running),
            ("success", Standing::Passed),
            ("failure", Standing::Failed),
            ("error", Standing::Broken),
            ("blocked", Standing::Waiting),
            ("a-new-one", Standing::Unknown),
        ] {
            server.set(1, status);
            assert_eq!(drone.build(&repo(), 1).await.unwrap().standing, standing);
        }
        server.set(1, "running");
        drone.stop(&repo(), 1).await.unwrap();
        assert_eq!(drone.build(&repo(), 1).await.unwrap().standing, Standing::Stopped);
        drone.stop(&repo(), 1).await.unwrap();
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

        let elsewhere = NewBuild { repo: "coop/none".parse().unwrap(), ..build("7") };
        assert!(matches!(drone.start(&elsewhere).await, Err(DroneError::Missing { .. })));
        let unknown = NewBuild { commit: Some("f".repeat(40).parse().unwrap()), ..build("7") };
        assert!(matches!(drone.start(&unknown).await, Err(DroneError::Missing { .. })));
        assert!(matches!(drone.build(&repo(), 9).await, Err(DroneError::Missing { .. })));
        assert!(matches!(drone.stop(&repo(), 9).await, Err(DroneError::Missing { .. })));

        let nowhere = Drone::new(http, "http://127.0.0.1:1".parse().unwrap(), TOKEN.into());
        let error = nowhere.start(&build("hunter2")).await.unwrap_err();
        assert!(matches!(error, DroneError::Unreachable { .. }) && !error.to_string().contains("hunter2"), "{error}");
    }
}
