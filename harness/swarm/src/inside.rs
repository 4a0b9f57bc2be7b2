//! Inspects an image without running it: its platform, and whether it has a program.

use std::collections::HashMap;

use base::failure::Failure;
use base::names::StackName;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::STACK_LABEL;
use super::engine::{Swarm, ask, failed, is_gone};

/// The label of the run that inspects, as on services.
pub const RUN_LABEL: &str = "cc-ci.run";
const LOOK_LABEL: &str = "cc-ci.look";

/// Docker's default search path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An inspection of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerLook {
    pub image: String,
    /// The programs, by name or by path.
    pub programs: Vec<String>,
    /// The search path, if the service sets it.
    pub path: Option<String>,
}

impl Swarm {
    /// The images for another processor than this engine's, each with its platform. Missing images and those without a
    /// platform are omitted.
    pub async fn of_other_platforms(&self, images: &[String]) -> Result<Vec<(String, String)>, Failure> {
        let here = ask("report its platform", self.docker().version()).await?.arch.unwrap_or_default();
        let mut found = Vec::new();
        for image in images {
            let seen = match self.docker().inspect_image(image).await {
                Err(e) if is_gone(&e) => continue,
                seen => ask("inspect an image", async { seen }).await?,
            };
            let built = seen.architecture.unwrap_or_default();
            if !runs_on(&built, &here) {
                found.push((image.clone(), built));
            }
        }
        Ok(found)
    }

    /// Removes the containers that a run created to inspect images and did not remove.
    pub async fn remove_looks(&self, run: &str) -> Result<(), Failure> {
        let doing = "remove a container that inspected an image";
        let filters = HashMap::from([
            ("label", vec![LOOK_LABEL.to_owned(), format!("{RUN_LABEL}={run}")]),
            ("status", vec!["created".to_owned()]),
        ]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        for container in ask(doing, self.docker().list_containers(Some(options))).await? {
            let gone = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            if let Some(id) = container.id {
                ask(doing, self.docker().remove_container(&id, Some(gone))).await?;
            }
        }
        Ok(())
    }

    /// The programs that an image lacks. A container is created for this and never started; it has the labels of the
    /// stack and of the run, so that it is removed with them in any case.
    ///
    /// # Errors
    /// The engine does not answer, or does not create a container of the image.
    pub async fn lacks(&self, run: &str, stack: &StackName, look: &ContainerLook) -> Result<Vec<String>, Failure> {
        let labels = [(STACK_LABEL, stack.as_str()), (RUN_LABEL, run), (LOOK_LABEL, "true")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        let body = ContainerCreateBody {
            image: Some(look.image.clone()),
            labels: Some(labels.into()),
            // An image without a command needs one here; this container is never started.
            entrypoint: Some(vec!["/".to_owned()]),
            host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..HostConfig::default() }),
            ..ContainerCreateBody::default()
        };
        let doing = "inspect an image";
        let made = ask(doing, self.docker().create_container(None, body)).await?.id;
        let looked = self.lacks_in(&made, look).await;
        let gone = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        ask(doing, self.docker().remove_container(&made, Some(gone))).await?;
        looked
    }

    async fn lacks_in(&self, container: &str, look: &ContainerLook) -> Result<Vec<String>, Failure> {
        let seen = ask("inspect an image", self.docker().inspect_container(container, None)).await?;
        let env = seen.config.and_then(|config| config.env).unwrap_or_default();
        let own = env.iter().find_map(|setting| setting.strip_prefix("PATH=").map(str::to_owned));
        let path = look.path.clone().or(own).unwrap_or_else(|| PATH.to_owned());
        let mut lacking = Vec::new();
        for program in &look.programs {
            let places: Vec<String> = match program.contains('/') {
                true => vec![program.clone()],
                false => path.split(':').filter(|dir| !dir.is_empty()).map(|dir| format!("{dir}/{program}")).collect(),
            };
            let mut is_there = false;
            for place in places {
                let options = ContainerArchiveInfoOptionsBuilder::new().path(&place).build();
                match self.docker().get_container_archive_info(container, Some(options)).await {
                    Ok(_) => {
                        is_there = true;
                        break;
                    }
                    Err(e) if is_gone(&e) => {}
                    Err(e) => return Err(failed("inspect an image", &e)),
                }
            }
            if !is_there {
                lacking.push(program.clone());
            }
        }
        Ok(lacking)
    }
}

/// Whether a machine runs images of this platform without emulation. Unknown platforms are accepted.
fn runs_on(built: &str, here: &str) -> bool {
    built.is_empty() || here.is_empty() || built == here || matches!((built, here), ("386", "amd64") | ("arm", "arm64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_runs_its_own_and_what_came_before_it() {
        assert!(runs_on("amd64", "amd64") && runs_on("386", "amd64") && runs_on("", "amd64"));
        assert!(!runs_on("arm64", "amd64") && !runs_on("amd64", "arm64"));
    }
}
