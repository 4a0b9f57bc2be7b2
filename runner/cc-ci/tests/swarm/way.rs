//! What stands between a run and its machine: a way to the engine that can stall and be cut, and a disk
//! that can be filled.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

/// A socket that passes everything on to an engine.
pub(crate) struct Way {
    dir: tempfile::TempDir,
    traffic: Arc<Traffic>,
}

#[derive(Default)]
struct Traffic {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    stalled: bool,
    closed: bool,
    open: Vec<Arc<[UnixStream; 2]>>,
}

impl Way {
    pub(crate) fn to(engine: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("docker.sock")).unwrap();
        let traffic = Arc::new(Traffic::default());
        let (engine, shared) = (engine.to_owned(), Arc::clone(&traffic));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { return };
                let Ok(far) = UnixStream::connect(&engine) else { continue };
                shared.pass(near, far);
            }
        });
        Self { dir, traffic }
    }

    /// The address for `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("docker.sock").display())
    }

    /// Ends every connection; new ones work.
    pub(crate) fn cut(&self) {
        for ends in self.traffic.now.lock().unwrap().open.drain(..) {
            ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
        }
    }

    /// Ends every connection, also new ones, or lets new ones work again.
    pub(crate) fn close(&self, closed: bool) {
        self.traffic.now.lock().unwrap().closed = closed;
        self.cut();
    }

    /// Lets nothing through and ends nothing, or goes on with what was sent.
    pub(crate) fn stall(&self, stalled: bool) {
        self.traffic.now.lock().unwrap().stalled = stalled;
        self.traffic.changed.notify_all();
    }
}

impl Traffic {
    fn pass(self: &Arc<Self>, near: UnixStream, far: UnixStream) {
        let ends = Arc::new([near, far]);
        let mut now = self.now.lock().unwrap();
        if now.closed {
            return;
        }
        // Of one that has ended, nobody else has a part any more.
        now.open.retain(|ends| Arc::strong_count(ends) > 1);
        now.open.push(Arc::clone(&ends));
        for (from, to) in [(0, 1), (1, 0)] {
            let (traffic, ends) = (Arc::clone(self), Arc::clone(&ends));
            std::thread::spawn(move || {
                let mut buffer = [0; 16384];
                while let Ok(count @ 1..) = (&ends[from]).read(&mut buffer) {
                    traffic.wait();
                    if (&ends[to]).write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = ends[to].shutdown(Shutdown::Write);
            });
        }
    }

    fn wait(&self) {
        let now = self.now.lock().unwrap();
        drop(self.changed.wait_while(now, |now| now.stalled).unwrap());
    }
}

/// A disk of its own under a state folder.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn below(state: &Path, size: &str) -> Self {
        let runs = state.join("runs");
        std::fs::create_dir(&runs).unwrap();
        let mut mount = std::process::Command::new("mount");
        let status = mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&runs).status().unwrap();
        assert!(status.success(), "these tests run as root");
        Self(runs)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Fills it to its last byte.
    pub(crate) fn fill(&self) {
        // The write ends with an error: that is what shows that it is full.
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Gives the room back.
    pub(crate) fn clear(&self) {
        let _ = std::fs::remove_file(self.0.join("filler"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
