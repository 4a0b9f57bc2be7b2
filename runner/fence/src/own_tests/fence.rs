//! What a recipe's own tests run in, made once a run: two networks, the gate between them, and a volume
//! with the tests.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use base::failure::{Cause, Failure, Kind};
use base::names::{Domain, RunId};
use swarm::{Bridge, Fenced, Object, ObjectKind, Reach, StackLabels, Swarm};

use super::FenceSettings;
use super::gate::{self, Gate, certificate, seen_from_bridge};

/// The folder of the tests in their container; the repository's `tests/` is below it.
pub(super) const FOLDER: &str = "/own";
/// Memory of a test and of the gate.
const MEMORY: i64 = 512 * 1024 * 1024;
/// How long the gate may take to be ready.
const READY: Duration = Duration::from_secs(30);

/// What the fence is around.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The run.
    pub run: RunId,
    /// The labels of all that is made.
    pub labels: StackLabels,
    /// The app's domain, the one thing that a test reaches.
    pub domain: Domain,
    /// The HTTPS port of its address.
    pub port: u16,
    /// The local authority's certificate, in PEM, where there is one.
    pub world_ca: Option<Vec<u8>>,
}

/// A fence that stands. What it is made of has the stack's label; [`Fence::take_down`] is only sooner
/// than teardown.
#[derive(Debug)]
pub struct Fence {
    pub(super) swarm: Swarm,
    pub(super) limits: Limits,
    image: String,
    pub(super) made: Vec<Object>,
    pub(super) inside: Option<Bridge>,
    pub(super) volume: String,
    /// Where the app is for a test: the gate.
    pub(super) gate: Option<IpAddr>,
}

impl Fence {
    /// Puts it up: `tests` is a tar archive of the tests' folder.
    ///
    /// # Errors
    /// What could not be made. It is never the recipe's fault.
    pub async fn put_up(
        swarm: Swarm,
        limits: Limits,
        place: &FenceSettings,
        tests: Vec<u8>,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self, Failure> {
        let mut fence = Self {
            swarm,
            limits,
            image: place.image.clone(),
            made: Vec::new(),
            inside: None,
            volume: String::new(),
            gate: None,
        };
        match fence.make(place, tests, say).await {
            Ok(()) => Ok(fence),
            Err(failure) => {
                let _ = fence.take_down().await;
                Err(no_fault_of_the_recipe(failure))
            }
        }
    }

    async fn make(
        &mut self,
        place: &FenceSettings,
        tests: Vec<u8>,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        self.swarm.ensure(&[place.image.clone(), place.gate_image.clone()], say).await?;
        say("makes the fence for the recipe's own tests");
        let pair = certificate(&self.limits.domain)
            .map_err(|error| Failure::new(Kind::Bug, format!("no certificate can be made: {error}"), ""))?;
        let inside = self.bridge("inside", Reach::Members).await?;
        let outside = self.bridge("outside", Reach::Everything).await?;
        self.fill(tests, &pair.authority, &inside).await?;

        let files = self.volume().await?;
        let app = seen_from_bridge(self.public_address(place).await?, outside.host);
        let fenced = Fenced {
            image: place.gate_image.clone(),
            command: vec!["traefik".to_owned(), format!("--configFile={}", gate::STATIC_FILE)],
            folder: gate::FOLDER.to_owned(),
            volume: files,
            read_only: false,
            alias: Some(self.limits.domain.to_string()),
            // Also where DNS knows the name: the gate's own alias would be found before it.
            hosts: vec![format!("{}:{app}", self.limits.domain)],
            keep_output: true,
            ..self.fenced("gate", &inside)
        };
        let id = self.container(&fenced).await?;
        self.swarm.join(&id, &outside).await?;
        let gate =
            Gate { domain: &self.limits.domain, port: self.limits.port, local_ca: self.limits.world_ca.is_some() };
        let texts = gate.files();
        let mut files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        files.extend([("cert.pem", pair.certificate.as_bytes()), ("key.pem", pair.key.as_bytes())]);
        files.extend(self.limits.world_ca.as_deref().map(|pem| ("world.pem", pem)));
        self.swarm.put_files(&id, gate::FOLDER, &files).await?;
        self.swarm.start_fenced(&id).await?;
        self.ready(&id).await?;
        self.gate = Some(self.swarm.address_in(&id, &inside).await?);
        self.inside = Some(inside);
        Ok(())
    }

    /// Fills the volume with the tests. A test may only read it, so another container that never starts
    /// holds it meanwhile.
    async fn fill(&mut self, tests: Vec<u8>, authority: &str, inside: &Bridge) -> Result<(), Failure> {
        self.volume = self.volume().await?;
        let carrier = Fenced { volume: self.volume.clone(), read_only: false, ..self.fenced("carrier", inside) };
        let id = self.container(&carrier).await?;
        self.swarm.unpack(&id, FOLDER, tests).await?;
        self.swarm.put_file(&id, FOLDER, "ca.pem", authority.as_bytes()).await?;
        self.swarm.discard(&[object(ObjectKind::Container, &carrier.name, &id)]).await
    }

    /// Waits until the gate has its routes.
    async fn ready(&self, gate: &str) -> Result<(), Failure> {
        let until = Instant::now() + READY;
        let argv: Vec<String> =
            ["traefik", "healthcheck", &format!("--configFile={}", gate::STATIC_FILE)].map(str::to_owned).into();
        loop {
            let asked = self.swarm.exec(gate, &argv, &[], until).await;
            match asked {
                Ok(asked) if asked.exit == 0 => return Ok(()),
                Ok(_) if Instant::now() < until => tokio::time::sleep(Duration::from_millis(20)).await,
                ended => {
                    let said = ended.map_or_else(|failure| failure.what, |asked| asked.output);
                    let words = self.swarm.last_words(gate).await;
                    let failure = Failure::new(
                        Kind::WorldIncomplete,
                        "the gate to the app did not become ready",
                        "whether CCCI_TRAEFIK_IMAGE is a traefik 3; its last words are in the report",
                    );
                    return Err(failure.with_detail(format!("{said}\n{words}")));
                }
            }
        }
    }

    /// Takes down what was put up.
    pub async fn take_down(&self) -> Result<(), Failure> {
        self.swarm.discard(&self.made).await
    }

    async fn public_address(&self, place: &FenceSettings) -> Result<IpAddr, Failure> {
        if let Some(address) = place.address {
            return Ok(address);
        }
        let domain = self.limits.domain.as_str();
        let unknown = |why: String| {
            Failure::new(
                Kind::WorldIncomplete,
                format!("the name {domain} has no address: {why}"),
                "the DNS of the base domain, or set CCCI_ADDRESS",
            )
        };
        let found = tokio::net::lookup_host((domain, self.limits.port)).await;
        let found: Vec<IpAddr> = found.map_err(|error| unknown(error.to_string()))?.map(|at| at.ip()).collect();
        // The bridges have no IPv6.
        let best = found.iter().find(|address| address.is_ipv4()).or(found.first());
        best.copied().ok_or_else(|| unknown("DNS knows none".to_owned()))
    }

    pub(super) fn fenced(&self, part: &str, network: &Bridge) -> Fenced {
        Fenced {
            name: self.name(part),
            image: self.image.clone(),
            command: vec!["true".to_owned()],
            env: Vec::new(),
            folder: FOLDER.to_owned(),
            volume: String::new(),
            read_only: true,
            network: network.id.clone(),
            alias: None,
            hosts: Vec::new(),
            memory: MEMORY,
            keep_output: false,
        }
    }

    pub(super) fn name(&self, part: &str) -> String {
        format!("cc-ci-{}-own-{part}", self.limits.run)
    }

    async fn bridge(&mut self, part: &str, reach: Reach) -> Result<Bridge, Failure> {
        let name = self.name(part);
        let bridge = self.swarm.make_bridge(&self.limits.labels, &name, reach).await?;
        self.made.push(object(ObjectKind::Network, &name, &bridge.id));
        Ok(bridge)
    }

    async fn volume(&mut self) -> Result<String, Failure> {
        let name = self.swarm.make_volume(&self.limits.labels).await?;
        self.made.push(object(ObjectKind::Volume, &name, &name));
        Ok(name)
    }

    pub(super) async fn container(&mut self, fenced: &Fenced) -> Result<String, Failure> {
        let id = self.swarm.make_fenced(&self.limits.labels, fenced).await?;
        self.made.push(object(ObjectKind::Container, &fenced.name, &id));
        Ok(id)
    }
}

pub(super) fn object(kind: ObjectKind, name: &str, id: &str) -> Object {
    Object { kind, name: name.to_owned(), id: id.to_owned() }
}

/// An image or a network that the operator's machine lacks says nothing about the recipe.
pub(super) fn no_fault_of_the_recipe(failure: Failure) -> Failure {
    let what = format!("the recipe's own tests have no place to run: {}", failure.what);
    let kind = if failure.kind.usual_cause() == Cause::Infrastructure { failure.kind } else { Kind::WorldIncomplete };
    Failure { kind, what, ..failure }
}
