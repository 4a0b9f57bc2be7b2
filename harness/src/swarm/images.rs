//! Images: pulled before a deploy, so that a slow registry does not eat the deploy's time and a
//! missing image has its own name.

use std::time::Duration;

use super::engine::Swarm;
use crate::failure::{Failure, Kind};

/// An image that had to be pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The image.
    pub image: String,
    /// How long it took.
    pub took: Duration,
}

impl Swarm {
    /// Whether this node has an image.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn present(&self, image: &str) -> Result<bool, Failure> {
        let _ = image;
        Err(Failure::new(Kind::Bug, "not written yet", ""))
    }

    /// Pulls the images that this node lacks, side by side. The result holds only those.
    ///
    /// # Errors
    /// [`Kind::ImageMissing`] when a registry answers that it has no such image or will not give it,
    /// [`Kind::RegistryUnreachable`], [`Kind::DiskFull`].
    pub async fn ensure(
        &self,
        images: &[String],
        on_progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Vec<Pulled>, Failure> {
        let _ = (images, on_progress);
        Err(Failure::new(Kind::Bug, "not written yet", ""))
    }
}
