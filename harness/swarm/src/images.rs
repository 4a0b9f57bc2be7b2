//! Images: pulled before a deployment, so that a slow registry does not use up the deployment's time and a missing
//! image has its own failure.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base::failure::Failure;
use base::messages::{self, Speaker};
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::models::Service;
use bollard::query_parameters::{CreateImageOptionsBuilder, ListContainersOptionsBuilder, RemoveImageOptions};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::engine::{Swarm, ask, failed, is_gone, is_lost, status};
use super::login::RegistryLogins;
use super::reason::one_line;

/// A pulled image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    pub image: String,
    /// Its id; empty if it was removed at once.
    pub id: String,
    pub took: Duration,
    /// The error of the first attempt, if there were two.
    pub first: Option<String>,
}

/// Pause before a pull is retried.
const PAUSE: Duration = Duration::from_secs(2);

/// A pull that failed.
struct Refused {
    failure: Failure,
    /// Whether a retry may succeed.
    passes: bool,
}

impl Swarm {
    /// Whether this node has an image.
    pub async fn present(&self, image: &str) -> Result<bool, Failure> {
        Ok(self.image_id(image).await?.is_some())
    }

    /// Pulls the images that this node lacks, concurrently and without a login. Returns only those.
    ///
    /// # Errors
    /// The message of the registry or the engine, by a row of [`base::messages`]. A temporary failure was retried once.
    pub async fn ensure(
        &self,
        images: &[String],
        on_progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Vec<Pulled>, Failure> {
        self.ensure_and_tell(images, &RegistryLogins::default(), on_progress, &mut |_| {}).await
    }

    /// The same with logins, and each image is reported as soon as it is pulled: a later one may fail, or the process
    /// end.
    ///
    /// # Errors
    /// As in [`Swarm::ensure`].
    pub async fn ensure_and_tell(
        &self,
        images: &[String],
        logins: &RegistryLogins,
        on_progress: &mut (dyn FnMut(&str) + Send),
        on_pulled: &mut (dyn FnMut(&Pulled) + Send),
    ) -> Result<Vec<Pulled>, Failure> {
        let mut lacking = Vec::new();
        for image in images {
            if !lacking.contains(image) && !self.present(image).await? {
                lacking.push(image.clone());
            }
        }
        if lacking.is_empty() {
            return Ok(Vec::new());
        }
        on_progress(&format!("pulling {}", lacking.join(", ")));
        let mut pulls: FuturesUnordered<_> = lacking.iter().map(|image| self.pull(image, logins)).collect();
        let mut done: Vec<Pulled> = Vec::new();
        while let Some(pulled) = pulls.next().await {
            let pulled = pulled?;
            on_pulled(&pulled);
            done.push(pulled);
            let left: Vec<&str> =
                lacking.iter().filter(|image| !done.iter().any(|d| d.image == **image)).map(String::as_str).collect();
            if !left.is_empty() {
                on_progress(&format!("pulling {}", left.join(", ")));
            }
        }
        done.sort_by(|a, b| a.image.cmp(&b.image));
        Ok(done)
    }

    /// Pulls an image, with one retry after a temporary failure.
    async fn pull(&self, image: &str, logins: &RegistryLogins) -> Result<Pulled, Failure> {
        let login = logins.of(image).await?;
        let first = match self.pull_once(image, login.as_ref()).await {
            Err(first) if first.passes => first.failure,
            ended => return ended.map_err(|refused| refused.failure),
        };
        // A registry sends no event when it is back.
        tokio::time::sleep(PAUSE).await;
        let again = |failure: Failure| Failure { what: format!("{} (tried twice)", failure.what), ..failure };
        let pulled = self.pull_once(image, login.as_ref()).await.map_err(|refused| again(refused.failure))?;
        Ok(Pulled { first: Some(first.what), ..pulled })
    }

    /// Pulls a present image again to update its tag.
    ///
    /// # Errors
    /// As in [`Swarm::ensure`]; the present image stays.
    pub async fn refresh(&self, image: &str, logins: &RegistryLogins) -> Result<Pulled, Failure> {
        let login = logins.of(image).await?;
        self.pull_once(image, login.as_ref()).await.map_err(|refused| refused.failure)
    }

    async fn pull_once(&self, image: &str, login: Option<&DockerCredentials>) -> Result<Pulled, Refused> {
        let start = Instant::now();
        let options = CreateImageOptionsBuilder::new().from_image(&with_tag(image)).build();
        let mut stream = std::pin::pin!(self.docker().create_image(Some(options), None, login.cloned()));
        while let Some(step) = stream.next().await {
            let step = step.map_err(|e| refused(image, &e))?;
            if let Some(message) = step.error_detail.and_then(|error| error.message) {
                return Err(refused(image, &Error::DockerStreamError { error: message }));
            }
        }
        let id = self.image_id(image).await.map_err(|failure| Refused { failure, passes: false })?.unwrap_or_default();
        Ok(Pulled { image: image.to_owned(), id, took: start.elapsed(), first: None })
    }

    /// The id of a name's image on this node, if there is one.
    pub async fn image_id(&self, image: &str) -> Result<Option<String>, Failure> {
        match self.docker().inspect_image(image).await {
            Ok(found) => Ok(found.id),
            // An invalid name is reported by the pull.
            Err(e) if is_gone(&e) || e.to_string().contains("invalid reference format") => Ok(None),
            Err(e) => Err(failed(&format!("inspect the image {image}"), &e)),
        }
    }

    /// Every image in use: the ids of containers' images, including stopped ones, and the names in the specs of
    /// services, which may start a container at any time.
    pub async fn images_in_use(&self) -> Result<BTreeSet<String>, Failure> {
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let containers = ask("list containers", self.docker().list_containers(Some(all))).await?;
        let services = ask("list services", self.docker().list_services(None)).await?;
        let image = |service: Service| service.spec?.task_template?.container_spec?.image;
        let names = services.into_iter().filter_map(image);
        let names = names.map(|image| with_tag(image.split('@').next().unwrap_or_default()));
        Ok(containers.into_iter().filter_map(|container| container.image_id).chain(names).collect())
    }

    /// Removes a name of an image, and the image itself with the last name. Returns whether it was removed: the engine
    /// keeps images of containers.
    pub async fn remove_image(&self, image: &str) -> Result<bool, Failure> {
        match self.docker().remove_image(image, None::<RemoveImageOptions>, None).await {
            Ok(_) => Ok(true),
            Err(e) if is_gone(&e) || status(&e) == Some(409) => Ok(false),
            Err(e) => Err(failed(&format!("remove the image {image}"), &e)),
        }
    }
}

/// The name with its tag. Without a tag, docker pulls every tag of a name.
pub fn with_tag(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains([':', '@']) { image.to_owned() } else { format!("{image}:latest") }
}

fn refused(image: &str, e: &Error) -> Refused {
    let said = match e {
        Error::DockerResponseServerError { message, .. } => message.clone(),
        Error::DockerStreamError { error } => error.clone(),
        e if is_lost(e) => return Refused { failure: failed(&format!("pull {image}"), e), passes: false },
        e => e.to_string(),
    };
    let said = one_line(&said);
    let row = messages::meaning(Speaker::Registry, &said);
    let what = format!("the image {image} is not here and cannot be pulled, {}: {said}", row.means);
    Refused { failure: Failure::new(row.kind, what, row.look_at), passes: row.passes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::failure::Kind;

    #[test]
    fn an_answer_is_told_from_silence() {
        for (said, kind) in [
            ("manifest for localhost:5000/ghost:1 not found: manifest unknown: manifest unknown", Kind::ImageMissing),
            (
                "pull access denied for ghost, repository does not exist or may require 'docker login'",
                Kind::RegistryRefused,
            ),
            ("no matching manifest for linux/arm64/v8 in the manifest list entries", Kind::PlatformMissing),
            ("unauthorized: authentication required", Kind::RegistryRefused),
            (
                "Get \"https://testbed.invalid/v2/\": dial tcp: lookup testbed.invalid: no such host",
                Kind::RegistryUnreachable,
            ),
            (
                "Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
                Kind::RegistryUnreachable,
            ),
            (
                "net/http: request canceled while waiting for connection (Client.Timeout exceeded)",
                Kind::RegistryUnreachable,
            ),
            ("toomanyrequests: You have reached your pull rate limit", Kind::RegistryLimit),
            ("received unexpected HTTP status: 503 Service Unavailable", Kind::RegistryUnreachable),
            ("failed to register layer: write /x: no space left on device", Kind::DiskFull),
            ("invalid reference format", Kind::InvalidCompose),
        ] {
            assert_eq!(refused("x", &Error::DockerStreamError { error: said.to_owned() }).failure.kind, kind, "{said}");
        }
    }

    #[test]
    fn a_name_without_a_tag_means_one_image() {
        assert_eq!(with_tag("nginx"), "nginx:latest");
        assert_eq!(with_tag("host:5000/nginx"), "host:5000/nginx:latest");
        assert_eq!(with_tag("host:5000/nginx:1"), "host:5000/nginx:1");
        assert_eq!(with_tag("nginx@sha256:00"), "nginx@sha256:00");
    }
}
