//! The machine under the engine: names, disk, clock.

use std::time::Duration;

use harness::swarm::Swarm;

use super::Finding;
use crate::settings::Settings;

/// Free bytes in docker's data root under which no run should start, and under which one is warned.
const DISK_BAD: u64 = 2 << 30;
const DISK_WARN: u64 = 10 << 30;

/// Seconds by which the engine's clock may differ.
const SKEW: i64 = 2;

pub(super) async fn dns(settings: &Settings) -> Finding {
    let base = &settings.base_domain;
    if let Some(address) = settings.fixed_address() {
        return Finding::ok("DNS", format!("names below {base} mean {address}; DNS is not asked"));
    }
    let name = format!("cc-ci-doctor.{base}");
    let lookup = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((name.as_str(), 443))).await;
    let address = lookup.ok().and_then(Result::ok).and_then(|mut found| found.next());
    match address {
        Some(address) => Finding::ok("DNS", format!("{name} is {}", address.ip())),
        None => Finding::bad(
            "DNS",
            format!("{name} does not resolve"),
            &format!("add a wildcard record *.{base}, or set --address"),
        ),
    }
}

pub(super) async fn disk() -> Finding {
    let root = match Swarm::connect().await {
        Ok(swarm) => swarm.docker().info().await.ok().and_then(|info| info.docker_root_dir),
        Err(_) => None,
    };
    let root = root.unwrap_or_else(|| "/var/lib/docker".to_owned());
    match rustix::fs::statvfs(root.as_str()) {
        Err(error) => Finding::warn("disk", format!("{root} cannot be looked at: {error}"), ""),
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let what = format!("{:.1} GiB are free in {root}", free as f64 / f64::from(1 << 30));
            let mend = "docker image prune; docker volume ls says what else is there";
            match free {
                0..DISK_BAD => Finding::bad("disk", what, mend),
                DISK_BAD..DISK_WARN => Finding::warn("disk", what, mend),
                _ => Finding::ok("disk", what),
            }
        }
    }
}

pub(super) async fn clock() -> Finding {
    let Ok(swarm) = Swarm::connect().await else {
        return Finding::warn("clock", "the engine does not answer, so its clock cannot be compared", "");
    };
    let time = swarm.docker().info().await.ok().and_then(|info| info.system_time);
    let Some(engine) = time.and_then(|text| text.parse::<jiff::Timestamp>().ok()) else {
        return Finding::warn("clock", "the engine tells no time", "");
    };
    let skew = (jiff::Timestamp::now().as_second() - engine.as_second()).abs();
    if skew <= SKEW {
        Finding::ok("clock", "the engine's clock and this one agree")
    } else {
        Finding::bad("clock", format!("the engine's clock is {skew} s off"), "timedatectl set-ntp true")
    }
}
