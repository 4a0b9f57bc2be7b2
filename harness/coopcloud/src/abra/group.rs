//! A process with all its children, killed together.

use rustix::process::{Pid, Signal, kill_process_group};

/// Kills a process group when dropped, so that a cancelled call leaves no child behind.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// The group that a child leads; `id` is the child's process id.
    pub fn led_by(id: Option<u32>) -> Self {
        Self(id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Kills the rest of the group now. Returns whether any process was still alive.
    pub fn kill(&mut self) -> bool {
        self.0.take().is_some_and(|pid| kill_process_group(pid, Signal::KILL).is_ok())
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}
