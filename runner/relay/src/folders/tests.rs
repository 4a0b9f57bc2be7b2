use super::*;
use journal_fixtures as fixtures;

const SENDER: &str = "0123456789abcdef";

fn run() -> RunId {
    fixtures::started().run
}

/// Lines of a passed run's journal.
pub(crate) fn lines(from: usize, to: usize) -> Batch {
    let all = fixtures::passed();
    let bytes = all[from..to].iter().flat_map(|record| journal::line(record).unwrap()).collect();
    Batch { first: from as u64, bytes }
}

fn all() -> Batch {
    lines(0, fixtures::passed().len())
}

struct Scene {
    state: tempfile::TempDir,
    folders: Folders,
}

fn scene() -> Scene {
    let state = tempfile::tempdir().unwrap();
    let folders = Folders::below(state.path().to_owned());
    Scene { state, folders }
}

impl Scene {
    fn take(&self, batch: &Batch) -> Result<u64, BatchRefusal> {
        self.folders.take(&run(), SENDER, batch).map(|taken| taken.next)
    }

    /// Simulates a restart of the receiver.
    fn again(self) -> Self {
        let folders = Folders::below(self.state.path().to_owned());
        Self { folders, ..self }
    }

    fn dir(&self) -> RunDir {
        RunDir::of(self.state.path(), &run())
    }
}

#[test]
fn lines_are_appended_once_in_their_order() {
    let scene = scene();
    let count = fixtures::passed().len();
    assert_eq!(scene.take(&Batch::default()).unwrap(), 0);
    assert!(!scene.dir().path().exists(), "who only asks makes nothing");
    assert_eq!(scene.take(&lines(0, 3)).unwrap(), 3);
    assert_eq!(scene.take(&lines(0, 3)).unwrap(), 3, "what comes twice is taken once");
    assert_eq!(scene.take(&lines(1, 5)).unwrap(), 5);
    assert!(matches!(scene.take(&lines(7, 9)), Err(BatchRefusal::Gap { next: 5 })));
    let scene = scene.again();
    assert!(matches!(scene.take(&lines(7, 9)), Err(BatchRefusal::Gap { next: 5 })));
    assert_eq!(scene.take(&lines(5, count)).unwrap(), count as u64);
    assert_eq!(std::fs::read(scene.dir().journal()).unwrap(), all().bytes);
    // The run is over: its reports exist here as well.
    assert!(scene.dir().html().exists() && scene.dir().junit().exists());
    assert_eq!(scene.take(&lines(3, count)).unwrap(), count as u64);
}

#[test]
fn a_part_of_a_line_that_a_death_left_is_not_glued_to_the_next() {
    let scene = scene();
    scene.take(&lines(0, 3)).unwrap();
    let mut file = OpenOptions::new().append(true).open(scene.dir().journal()).unwrap();
    file.write_all(&lines(3, 4).bytes[..7]).unwrap();
    let scene = scene.again();
    assert_eq!(scene.take(&all()).unwrap(), fixtures::passed().len() as u64);
    assert_eq!(std::fs::read(scene.dir().journal()).unwrap(), all().bytes);
}

#[test]
fn what_the_disk_lost_is_asked_for_again() {
    let scene = scene();
    scene.take(&lines(0, 6)).unwrap();
    File::options().write(true).open(scene.dir().journal()).unwrap().set_len(lines(0, 2).bytes.len() as u64).unwrap();
    let scene = scene.again();
    assert!(matches!(scene.take(&lines(6, 8)), Err(BatchRefusal::Gap { next: 2 })));
}

#[test]
fn a_run_of_this_machine_is_not_touched() {
    let scene = scene();
    let _alive = scene.dir().create().unwrap();
    std::fs::write(scene.dir().journal(), "its own").unwrap();
    for batch in [all(), lines(3, 5), Batch::default()] {
        assert!(matches!(scene.take(&batch), Err(BatchRefusal::Here)));
    }
    assert_eq!(std::fs::read_to_string(scene.dir().journal()).unwrap(), "its own");
    assert!(!scene.dir().is_reported());
}

#[test]
fn one_process_alone_reports_as_a_run() {
    let scene = scene();
    scene.take(&lines(0, 3)).unwrap();
    let other = |scene: &Scene| scene.folders.take(&run(), "fedcba9876543210", &lines(3, 5));
    assert!(matches!(other(&scene), Err(BatchRefusal::Other)));
    let scene = scene.again();
    assert!(matches!(other(&scene), Err(BatchRefusal::Other)));
    assert_eq!(scene.take(&lines(3, 5)).unwrap(), 5);
}

#[test]
fn a_run_that_reports_is_no_dead_run_of_this_machine() {
    let scene = scene();
    scene.take(&lines(0, 3)).unwrap();
    let dir = scene.dir();
    assert!(dir.is_reported() && dir.take_over().is_none() && !dir.has_private() && !dir.is_locked());
    assert!(dir.create().is_err(), "and no run of this machine takes its folder");
    RunDir::discard_half_made(scene.state.path());
    assert_eq!(scene.take(&lines(0, 5)).unwrap(), 5);
    assert_eq!(RunDir::all(scene.state.path()).unwrap().len(), 1);
}

#[test]
fn what_is_no_journal_of_this_run_is_refused_whole() {
    let scene = scene();
    let with = |first: u64, text: &[u8]| Batch { first, bytes: text.to_vec() };
    let begin = lines(0, 1).bytes;
    let newer = String::from_utf8(begin.clone()).unwrap().replacen("\"format\":", "\"format\":9", 1);
    let other = String::from_utf8(begin.clone()).unwrap().replace(run().as_str(), "20261121-091403-zzzz");
    for (batch, why) in [
        (with(0, b"hunter2\n"), "line 0"),
        (with(0, b"{}\n"), "line 0"),
        (with(0, &lines(1, 2).bytes), "not the beginning"),
        (with(0, newer.as_bytes()), "newer"),
        (with(0, other.as_bytes()), "another run"),
        (with(1, &begin), "another run"),
        (with(0, begin.strip_suffix(b"\n").unwrap()), "cut short"),
        (with(0, &[begin.as_slice(), b"{\"event\":\"stage-ended\"}\n"].concat()), "line 1"),
        (with(0, &[begin.as_slice(), b"\xff\n"].concat()), "line 1"),
        (with(u64::MAX, &[begin.as_slice(), &begin].concat()), "another run"),
    ] {
        let told = scene.take(&batch).unwrap_err().to_string();
        assert!(told.contains(why) && !told.contains("hunter2"), "{told}");
    }
    assert!(!scene.dir().path().exists(), "nothing is made for rubbish");
    // An event that this version does not know is stored, as in every journal.
    let unknown = b"{\"seq\":1,\"at\":\"2026-11-21T09:14:03Z\",\"ms\":1,\"event\":\"of-tomorrow\"}\n";
    assert_eq!(scene.take(&with(0, &[begin.as_slice(), unknown].concat())).unwrap(), 2);
    assert_eq!(journal::read(&scene.dir().journal()).unwrap().records.len(), 1);
}

#[test]
fn whoever_asks_for_the_app_to_stay_is_heard_with_the_next_answer() {
    let scene = scene();
    let hold = |batch: &Batch| scene.folders.take(&run(), SENDER, batch).unwrap().hold;
    assert_eq!(hold(&lines(0, 3)), None);
    scene.dir().hold(Duration::from_secs(1_800)).unwrap();
    assert_eq!(hold(&Batch { first: 3, bytes: Vec::new() }), Some(Duration::from_secs(1_800)));
}
