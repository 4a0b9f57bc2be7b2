//! The volumes of a stack, and files in them, by docker's archive API: it needs no shell, `tar` or `cat` in the image.

use std::io::Read;

use base::failure::{Failure, Kind};
use base::names::StackName;
use bollard::models::{ContainerSummary, MountPoint};
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, ListContainersOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::StreamExt;

use super::SERVICE_LABEL;
use super::engine::{Swarm, ask, failed, is_gone};
use super::labels::{of_stack, short};

/// Maximum size of a file.
const FILE_BYTES: usize = 16 * 1024 * 1024;

/// A named volume in a running container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedVolume {
    /// Its full name.
    pub name: String,
    /// Its name without the stack.
    pub short: String,
    /// The short name of the service that mounts it.
    pub service: String,
    /// The container's id.
    pub container: String,
    /// Its mount point.
    pub path: String,
    pub read_only: bool,
}

impl Swarm {
    /// The named volumes in a stack's running containers on this node, sorted by service and path. Anonymous volumes
    /// are omitted: they are removed with their container.
    pub async fn mounted(&self, stack: &StackName) -> Result<Vec<MountedVolume>, Failure> {
        let containers = self.running(stack).await?;
        let mut volumes: Vec<MountedVolume> = containers.iter().flat_map(|c| mounts(stack, c)).collect();
        volumes.sort_by(|a, b| (&a.service, &a.path, &a.container).cmp(&(&b.service, &b.path, &b.container)));
        Ok(volumes)
    }

    /// The mount points of anonymous volumes in a stack's running containers, each with its service: an image declares
    /// them, and they are removed with their container.
    pub async fn nameless(&self, stack: &StackName) -> Result<Vec<(String, String)>, Failure> {
        let mut found: Vec<(String, String)> =
            self.running(stack).await?.iter().flat_map(|container| nameless(stack, container)).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Whether a volume's files are in docker's own folder, as for volumes without options: nothing is mounted there
    /// that only its containers see.
    pub async fn is_in_dockers_folder(&self, volume: &str) -> Result<bool, Failure> {
        let volume = ask("inspect a volume", self.docker().inspect_volume(volume)).await?;
        Ok(volume.driver == "local" && volume.options.is_empty())
    }

    /// The ids of a stack's running containers on this node.
    pub async fn containers(&self, stack: &StackName) -> Result<Vec<String>, Failure> {
        Ok(self.running(stack).await?.into_iter().filter_map(|container| container.id).collect())
    }

    async fn running(&self, stack: &StackName) -> Result<Vec<ContainerSummary>, Failure> {
        let options = ListContainersOptionsBuilder::new().filters(&of_stack(stack)).build();
        ask("list containers", self.docker().list_containers(Some(options))).await
    }

    /// Writes a file into a folder of a container, replacing an existing one. Owner root, mode 0644.
    ///
    /// # Errors
    /// The container or the folder does not exist, or the folder is read-only.
    pub async fn put_file(&self, container: &str, folder: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.put_files(container, folder, &[(name, bytes)]).await
    }

    /// Writes some files into a folder of a container, like [`Swarm::put_file`], with one request.
    ///
    /// # Errors
    /// As there.
    pub async fn put_files(&self, container: &str, folder: &str, files: &[(&str, &[u8])]) -> Result<(), Failure> {
        let names = files.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let doing = format!("write {names} into {folder} of a container");
        let tar = packed(files).map_err(|e| broken(&doing, &e))?;
        let options = UploadToContainerOptionsBuilder::new().path(folder).build();
        let body = bollard::body_full(Bytes::from(tar));
        ask(&doing, self.docker().upload_to_container(container, Some(options), body)).await
    }

    /// Reads a file of a container; `None` if it does not exist. At most 16 MiB.
    ///
    /// # Errors
    /// The container does not exist, or the file is too large or not a regular file.
    pub async fn get_file(&self, container: &str, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let doing = format!("read {path} of a container");
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        let mut stream = std::pin::pin!(self.docker().download_from_container(container, Some(options)));
        let mut tar = Vec::new();
        while let Some(part) = stream.next().await {
            match part {
                Ok(part) => tar.extend_from_slice(&part),
                Err(e) if is_gone(&e) && !e.to_string().contains("No such container") => return Ok(None),
                Err(e) => return Err(failed(&doing, &e)),
            }
            if tar.len() > FILE_BYTES {
                return Err(broken(&doing, &"it is larger than 16 MiB"));
            }
        }
        unpacked(&tar).map(Some).map_err(|e| broken(&doing, &e))
    }
}

fn broken(doing: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Kind::Bug, format!("cc-ci could not {doing}: {why}"), "the file in the container")
}

fn packed(files: &[(&str, &[u8])]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes)?;
    }
    tar.into_inner()
}

/// The content of the only regular file in an archive.
fn unpacked(tar: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let mut file = archive.entries()?.next().ok_or_else(|| std::io::Error::other("the archive is empty"))??;
    if !file.header().entry_type().is_file() {
        return Err(std::io::Error::other("it is no plain file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn mounts(stack: &StackName, container: &ContainerSummary) -> Vec<MountedVolume> {
    let service = container.labels.as_ref().and_then(|labels| labels.get(SERVICE_LABEL));
    let service = short(stack, service.map_or("", String::as_str)).to_owned();
    let of_mount = |mount: &MountPoint| {
        let name = mount.name.clone()?;
        (!is_anonymous(&name)).then(|| MountedVolume {
            short: short(stack, &name).to_owned(),
            name,
            service: service.clone(),
            container: container.id.clone().unwrap_or_default(),
            path: mount.destination.clone().unwrap_or_default(),
            read_only: mount.rw == Some(false),
        })
    };
    container.mounts.iter().flatten().filter_map(of_mount).collect()
}

fn nameless(stack: &StackName, container: &ContainerSummary) -> Vec<(String, String)> {
    let service = container.labels.as_ref().and_then(|labels| labels.get(SERVICE_LABEL));
    let service = short(stack, service.map_or("", String::as_str));
    let mounts = container.mounts.iter().flatten();
    let named = |mount: &&MountPoint| !mount.name.as_deref().is_some_and(is_anonymous);
    let mounts = mounts.filter(|mount| mount.typ.as_deref() == Some("volume") && !named(mount));
    mounts.map(|mount| (service.to_owned(), mount.destination.clone().unwrap_or_default())).collect()
}

/// Docker names anonymous volumes with 64 hexadecimal digits.
pub(super) fn is_anonymous(name: &str) -> bool {
    name.is_empty() || (name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_volume_that_nobody_named_is_left_out() {
        assert!(is_anonymous(&"0a".repeat(32)) && is_anonymous(""));
        assert!(!is_anonymous("stack_data"));
    }

    #[test]
    fn an_archive_of_no_file_is_an_error() {
        assert!(unpacked(&[]).is_err());
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        tar.append_data(&mut header, "folder/", &[][..]).unwrap();
        assert!(unpacked(&tar.into_inner().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(unpacked(&packed(&[(".marker", &bytes)]).unwrap()).unwrap(), bytes);
        }
    }
}
