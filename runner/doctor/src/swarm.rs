//! The engine, its swarm, and the world on it.

use std::time::{Duration, Instant};

use base::failure::Failure;
use http_client::Expect;
use swarm::Swarm;

use super::DoctorFinding;
use host::repository::Looked;
use host::settings::Settings;
use host::world::{Present, http_trusting, present, served_ca};

pub(super) async fn check(settings: &Settings) -> Vec<DoctorFinding> {
    let start = "systemctl start docker (or, with no service manager: dockerd &)";
    let swarm = match Swarm::connect().await {
        Ok(swarm) => swarm,
        Err(failure) => return vec![DoctorFinding::bad("engine", failure.what, start)],
    };
    let facts = match swarm.facts().await {
        Ok(facts) => facts,
        Err(failure) => return vec![DoctorFinding::bad("engine", failure.what, start)],
    };
    let mut found = vec![DoctorFinding::ok("engine", format!("docker {} answers", facts.version))];
    found.push(if facts.swarm_active && facts.is_manager {
        DoctorFinding::ok("swarm", format!("active, this node is a manager of {} nodes", facts.nodes))
    } else if facts.swarm_active {
        DoctorFinding::bad(
            "swarm",
            "this node is a worker; cc-ci needs a manager",
            "run cc-ci on a manager, or docker node promote",
        )
    } else {
        DoctorFinding::bad("swarm", "swarm mode is off", "cc-ci up")
    });
    found.push(if facts.ipvs {
        DoctorFinding::ok("IPVS", "the kernel has it, virtual addresses work")
    } else {
        DoctorFinding::warn(
            "IPVS",
            "the kernel has none, so swarm's virtual addresses are dead: cc-ci deploys with endpoint_mode dnsrr and host-mode ports here",
            "modprobe ip_vs",
        )
    });
    match present(&swarm).await {
        Err(failure) => found.push(DoctorFinding::bad("world", failure.what, start)),
        Ok(there) => {
            let part = |check, is_there: bool, what: &str| {
                if is_there {
                    DoctorFinding::ok(check, format!("{what} is there"))
                } else {
                    DoctorFinding::bad(check, format!("there is no {what}"), "cc-ci up")
                }
            };
            found.push(part("network proxy", there.proxy, "overlay network called proxy"));
            found.push(traefik(&there));
            found.push(part("backup bot", there.bot, "backup bot (label coop-cloud.backupbot.enabled)"));
            if there.traefik {
                found.push(https(settings, &swarm).await);
                found.push(route(settings, &swarm, there.routes.contains(settings.base_domain.as_str())).await);
            }
            if there.bot {
                found.push(repository(&swarm).await);
            }
        }
    }
    found
}

/// Whose traefik serves, which decides the trusted certificate authorities.
fn traefik(there: &Present) -> DoctorFinding {
    match (&there.foreign_traefik, there.own_traefik) {
        (Some(service), false) => DoctorFinding::ok("traefik", format!("the server's own exists: {service}")),
        (Some(service), true) => DoctorFinding::warn(
            "traefik",
            format!("the server's own exists ({service}), and also that of `cc-ci up`, which may hold its ports"),
            "cc-ci up, which removes its own",
        ),
        (None, true) => DoctorFinding::ok("traefik", "that of `cc-ci up` exists"),
        (None, false) => DoctorFinding::bad("traefik", "there is no traefik", "cc-ci up"),
    }
}

/// Checks that traefik forwards a request, as it must for an app.
async fn route(settings: &Settings, swarm: &Swarm, is_there: bool) -> DoctorFinding {
    if !is_there {
        return DoctorFinding::warn("route", "cc-ci has no route that could be requested", "cc-ci up");
    }
    let asked = async {
        let http = http_trusting(settings, served_ca(swarm, settings).await?.as_deref())?;
        host::world::route::asked(&http, settings.base_domain.as_str(), settings.https_port).await
    };
    match asked.await {
        Ok(url) => DoctorFinding::ok("route", format!("traefik passes a request on to {url}")),
        Err(failure) => DoctorFinding::bad("route", failure.what, &failure.look_at),
    }
}

/// Checks that the bot's repository opens, as in each backup.
async fn repository(swarm: &Swarm) -> DoctorFinding {
    match host::repository::opens(swarm, Instant::now() + Duration::from_secs(30)).await {
        Ok(Looked::Well(said)) => DoctorFinding::ok("backups", said),
        Ok(Looked::Limited(said)) => DoctorFinding::warn("backups", said, ""),
        Ok(Looked::NotAsked(said)) => DoctorFinding::warn(
            "backups",
            said,
            "run cc-ci on the bot's node: abra reaches the bot's container there alone (remembered)",
        ),
        Err(failure) => DoctorFinding::bad("backups", failure.what, &failure.look_at),
    }
}

/// Checks that traefik answers 404 over TLS for an unused name. Trusts the system's authorities, and the local one if
/// cc-ci's traefik serves.
async fn https(settings: &Settings, swarm: &Swarm) -> DoctorFinding {
    if let Some(resolver) = &settings.cert_resolver {
        return DoctorFinding::warn(
            "HTTPS",
            format!(
                "traefik gets a certificate for each app by its resolver {resolver}: an authority gives a few dozen a week \
                 (Let's Encrypt 50 for a registered domain), a run waits for it, and every name is in a public log"
            ),
            "a wildcard certificate has none of these limits",
        );
    }
    let url = format!("https://nobody.{}:{}/", settings.base_domain, settings.https_port);
    let asked = async {
        let ca = served_ca(swarm, settings).await?;
        let http = http_trusting(settings, ca.as_deref())?;
        let expect = Expect { url: url.clone(), status: vec![404], body: None };
        let answer = http.answers(&expect, Instant::now() + Duration::from_secs(5), &mut |_: &str| {}).await;
        Ok::<_, Failure>((ca.is_some(), answer))
    };
    match asked.await {
        Ok((_, Ok(_))) => DoctorFinding::ok("HTTPS", format!("{url} answers over TLS that cc-ci trusts")),
        Ok((is_ours, Err(failure))) => not_trusted(&failure, is_ours, settings),
        Err(failure) => DoctorFinding::bad("HTTPS", failure.what, &failure.look_at),
    }
}

fn not_trusted(failure: &Failure, is_ours: bool, settings: &Settings) -> DoctorFinding {
    let mend = if !failure.what.contains("certificate") {
        "docker service logs of traefik; --base-domain, --address, --https-port".to_owned()
    } else if is_ours {
        "cc-ci up, or --state (CCCI_STATE) with the folder that it was called with".to_owned()
    } else {
        format!(
            "give traefik a certificate of *.{} that this system trusts; without a wildcard certificate, \
             --cert-resolver (CCCI_CERT_RESOLVER) lets it get one for each app",
            settings.base_domain
        )
    };
    DoctorFinding::bad("HTTPS", failure.what.clone(), &mend)
}

#[cfg(test)]
mod tests {
    use base::failure::Kind;
    use clap::Parser as _;

    use super::super::Level;
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn a_traefik_of_the_servers_own_is_named_and_two_of_them_are_told() {
        let level = |foreign: Option<&str>, own_traefik| {
            let there = Present { foreign_traefik: foreign.map(str::to_owned), own_traefik, ..Present::default() };
            (traefik(&there).level, traefik(&there).what)
        };
        assert_eq!(level(None, false).0, Level::Bad);
        assert_eq!(level(None, true).0, Level::Ok);
        let (is, what) = level(Some("traefik_example_org_app"), false);
        assert!(is == Level::Ok && what.contains("traefik_example_org_app"), "{what}");
        assert_eq!(level(Some("traefik_example_org_app"), true).0, Level::Warn);
    }

    #[test]
    fn a_servers_certificate_that_does_not_fit_is_not_mended_by_cc_ci_up() {
        let settings = Line::parse_from(["cc-ci", "--base-domain", "ci.example.org"]).settings;
        let mend = |what: &str, is_ours| {
            let failure = Failure::new(Kind::NoAnswer, what, "");
            not_trusted(&failure, is_ours, &settings).mend.unwrap()
        };
        let wrong = "does not answer: invalid peer certificate: UnknownIssuer";
        assert!(mend(wrong, true).contains("cc-ci up"));
        let servers = mend(wrong, false);
        assert!(!servers.contains("cc-ci up") && servers.contains("*.ci.example.org"), "{servers}");
        assert!(mend("does not answer: connection refused", false).contains("logs of traefik"));
    }
}
