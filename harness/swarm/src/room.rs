//! The free resources of the engine's node: disk of docker's data folder, and memory.
//!
//! If the engine runs on this machine, the kernel is queried. Otherwise its data folder is no local path; then a
//! container that runs there is used: its root is on the disk of docker's data, and its `/proc/meminfo` is the node's.

use std::path::Path;
use std::time::Instant;

use base::failure::Failure;

use super::engine::{Swarm, ask};

/// The command in the container.
const QUESTION: &str = "df -Pk / && df -Pi / && cat /proc/meminfo";

/// Space on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRoom {
    /// Free bytes.
    pub free: u64,
    /// Total bytes.
    pub total: u64,
    /// Free inodes; `None` if the file system has no such limit.
    pub inodes: Option<u64>,
}

/// Memory of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryRoom {
    /// Bytes available to new programs without swapping.
    pub available: u64,
    /// Total bytes.
    pub total: u64,
}

/// The resources of the engine's node; unknown ones are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRoom {
    /// The node's name.
    pub node: String,
    /// Docker's data folder there.
    pub data_root: String,
    pub disk: Option<DiskRoom>,
    pub memory: Option<MemoryRoom>,
}

impl DiskRoom {
    /// The disk of a local path.
    ///
    /// # Errors
    /// The path does not exist, or is not accessible.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Self {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            inodes: (stat.f_files > 0).then_some(stat.f_favail),
        })
    }
}

impl MemoryRoom {
    /// The memory of this machine.
    pub fn here() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    fn read(meminfo: &str) -> Option<Self> {
        let kib = |name: &str| -> Option<u64> {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
        };
        Some(Self { available: kib("MemAvailable")?, total: kib("MemTotal")? })
    }
}

impl Swarm {
    /// The resources of this engine's node. Other nodes of the swarm are not visible.
    pub async fn room(&self, deadline: Instant) -> Result<NodeRoom, Failure> {
        let info = ask("return its facts", self.docker().info()).await?;
        let node = info.name.unwrap_or_default();
        let data_root = info.docker_root_dir.unwrap_or_default();
        let kernel = info.kernel_version.unwrap_or_default();
        if is_here(&node, &kernel)
            && let Ok(disk) = DiskRoom::of(Path::new(&data_root))
        {
            return Ok(NodeRoom { node, data_root, disk: Some(disk), memory: MemoryRoom::here() });
        }
        let (disk, memory) = self.room_by_container(deadline).await?;
        Ok(NodeRoom { node, data_root, disk, memory })
    }

    /// The same from the backup bot's container on that node.
    pub async fn room_by_container(
        &self,
        deadline: Instant,
    ) -> Result<(Option<DiskRoom>, Option<MemoryRoom>), Failure> {
        let Some(bot) = self.bot_container().await? else { return Ok((None, None)) };
        let argv = ["sh", "-c", QUESTION].map(str::to_owned);
        let said = self.exec(&bot, &argv, &[], deadline).await?;
        Ok((read_df(&said.output), MemoryRoom::read(&said.output)))
    }
}

/// Whether the engine runs on this machine in the same namespace: in a container the host name differs, and docker's
/// folder is not visible.
fn is_here(node: &str, kernel: &str) -> bool {
    let of_kernel = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    !node.is_empty() && of_kernel("hostname").trim() == node && of_kernel("osrelease").trim() == kernel
}

/// Parses the consecutive output of `df -Pk /` and `df -Pi /`.
fn read_df(text: &str) -> Option<DiskRoom> {
    let mut rows = text.lines().filter(|line| line.ends_with(" /")).map(|line| {
        let mut fields = line.split_whitespace().skip(1).map(|field| field.parse::<u64>().ok());
        let (total, _, free) = (fields.next()??, fields.next()??, fields.next()??);
        Some((total, free))
    });
    let (blocks, free) = rows.next()??;
    let inodes = rows.next().flatten().filter(|(total, _)| *total > 0);
    Some(DiskRoom {
        free: free.checked_mul(1024)?,
        total: blocks.checked_mul(1024)?,
        inodes: inodes.map(|(_, free)| free),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAID: &str = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
        overlay          264212084 39154412  56346852      41% /\n\
        Filesystem       Inodes  IUsed    IFree IUse% Mounted on\n\
        overlay        16777216 991041 15786175    6% /\n\
        MemTotal:       24684092 kB\nMemFree:        14718588 kB\nMemAvailable:   23591368 kB\n";

    #[test]
    fn the_words_of_a_container_are_read() {
        let disk = read_df(SAID).unwrap();
        assert_eq!(disk, DiskRoom { free: 56_346_852 * 1024, total: 264_212_084 * 1024, inodes: Some(15_786_175) });
        let memory = MemoryRoom::read(SAID).unwrap();
        assert_eq!(memory, MemoryRoom { available: 23_591_368 * 1024, total: 24_684_092 * 1024 });
    }

    #[test]
    fn a_file_system_without_a_count_of_files_has_no_limit_of_them() {
        let said = "overlay 100 60 40 60% /\noverlay 0 0 0 - /\n";
        assert_eq!(read_df(said), Some(DiskRoom { free: 40 << 10, total: 100 << 10, inodes: None }));
        assert_eq!(read_df("sh: df: not found\n"), None);
    }

    #[test]
    fn this_machine_is_told_from_others() {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert!(is_here(name.trim(), kernel.trim()));
        assert!(!is_here("another", kernel.trim()) && !is_here("", "") && !is_here(name.trim(), "1.0"));
        let here = MemoryRoom::here().unwrap();
        assert!(here.available > 0 && here.available <= here.total);
        assert!(DiskRoom::of(Path::new("/")).unwrap().total > 0);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[ -~\n]{0,200}") {
            let _ = (read_df(&text), MemoryRoom::read(&text));
        }
    }
}
