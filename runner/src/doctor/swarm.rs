//! The engine, its swarm, and the world on it.

use std::time::{Duration, Instant};

use harness::http::{Expect, Http, HttpConfig};
use harness::swarm::Swarm;

use super::Finding;
use crate::repository::Looked;
use crate::settings::Settings;
use crate::world::{local_ca, present};

pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let start = "systemctl start docker (or, with no service manager: dockerd &)";
    let swarm = match Swarm::connect().await {
        Ok(swarm) => swarm,
        Err(failure) => return vec![Finding::bad("engine", failure.what, start)],
    };
    let facts = match swarm.facts().await {
        Ok(facts) => facts,
        Err(failure) => return vec![Finding::bad("engine", failure.what, start)],
    };
    let mut found = vec![Finding::ok("engine", format!("docker {} answers", facts.version))];
    found.push(if facts.swarm_active && facts.is_manager {
        Finding::ok("swarm", format!("active, this node is a manager of {} nodes", facts.nodes))
    } else if facts.swarm_active {
        Finding::bad(
            "swarm",
            "this node is a worker; cc-ci needs a manager",
            "run cc-ci on a manager, or docker node promote",
        )
    } else {
        Finding::bad("swarm", "swarm mode is off", "cc-ci up")
    });
    found.push(if facts.ipvs {
        Finding::ok("IPVS", "the kernel has it, virtual addresses work")
    } else {
        Finding::warn(
            "IPVS",
            "the kernel has none, so swarm's virtual addresses are dead: cc-ci deploys with endpoint_mode dnsrr and host-mode ports here",
            "modprobe ip_vs",
        )
    });
    match present(&swarm).await {
        Err(failure) => found.push(Finding::bad("world", failure.what, start)),
        Ok(there) => {
            let part = |check, is_there: bool, what: &str| {
                if is_there {
                    Finding::ok(check, format!("{what} is there"))
                } else {
                    Finding::bad(check, format!("there is no {what}"), "cc-ci up")
                }
            };
            found.push(part("network proxy", there.proxy, "overlay network called proxy"));
            found.push(part("traefik", there.traefik, "traefik"));
            found.push(part("backup bot", there.bot, "backup bot (label coop-cloud.backupbot.enabled)"));
            if there.traefik {
                found.push(https(settings).await);
                found.push(route(settings, there.routes.contains(settings.base_domain.as_str())).await);
            }
            if there.bot {
                found.push(repository(&swarm).await);
            }
        }
    }
    found
}

/// traefik passes a request on, as it must for an app.
async fn route(settings: &Settings, is_there: bool) -> Finding {
    if !is_there {
        return Finding::warn("route", "there is no route of cc-ci's own that could be asked for", "cc-ci up");
    }
    let asked = async {
        let (http, _) = crate::world::http(settings)?;
        crate::world::route::asked(&http, settings.base_domain.as_str(), settings.https_port).await
    };
    match asked.await {
        Ok(url) => Finding::ok("route", format!("traefik passes a request on to {url}")),
        Err(failure) => Finding::bad("route", failure.what, &failure.look_at),
    }
}

/// The bot's repository opens, as each backup opens it.
async fn repository(swarm: &Swarm) -> Finding {
    match crate::repository::opens(swarm, Instant::now() + Duration::from_secs(30)).await {
        Ok(Looked::Well(said)) => Finding::ok("backups", said),
        Ok(Looked::Limited(said)) => Finding::warn("backups", said, ""),
        Ok(Looked::NotAsked(said)) => Finding::warn(
            "backups",
            said,
            "run cc-ci on the bot's node: abra reaches the bot's container there alone (remembered)",
        ),
        Err(failure) => Finding::bad("backups", failure.what, &failure.look_at),
    }
}

/// traefik answers 404 over TLS for a name that no app has.
async fn https(settings: &Settings) -> Finding {
    let url = format!("https://nobody.{}:{}/", settings.base_domain, settings.https_port);
    let config = HttpConfig {
        ca_pem: settings
            .state_dir()
            .ok()
            .and_then(|state| local_ca(&state, settings))
            .and_then(|path| std::fs::read(path).ok()),
        resolve: settings
            .fixed_address()
            .map(|address| (settings.base_domain.to_string(), address))
            .into_iter()
            .collect(),
    };
    let answer = match Http::new(&config) {
        Ok(http) => {
            let expect = Expect { url: url.clone(), status: vec![404], body: None };
            http.answers(&expect, Instant::now() + Duration::from_secs(5), &mut |_: &str| {}).await
        }
        Err(failure) => Err(failure),
    };
    match answer {
        Ok(_) => Finding::ok("HTTPS", format!("{url} answers over TLS that cc-ci trusts")),
        Err(failure) if failure.what.contains("certificate") => Finding::bad(
            "HTTPS",
            failure.what,
            "cc-ci up, or --state (CCCI_STATE) with the folder that it was called with",
        ),
        Err(failure) => Finding::bad(
            "HTTPS",
            failure.what,
            "docker service logs of traefik; --base-domain, --address, --https-port",
        ),
    }
}
