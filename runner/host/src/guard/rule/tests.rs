use proptest::prelude::*;

use super::*;

const GIB: u64 = 1024 * MIB;

fn facts() -> Facts {
    let disk = |free| Some(DiskRoom { free, total: 100 * GIB, inodes: Some(1_000_000) });
    Facts {
        node: "one".to_owned(),
        docker: ("/var/lib/docker".to_owned(), disk(50 * GIB)),
        state: ("/state".to_owned(), disk(GIB)),
        memory: Some(MemoryRoom { available: 3 * GIB, total: 4 * GIB }),
    }
}

fn wanted() -> Reserves {
    Reserves { docker: 4 * GIB, docker_inodes: 50_000, state: 256 * MIB, memory: GIB }
}

#[test]
fn each_thing_is_named_with_its_numbers_and_what_to_do() {
    assert_eq!(lacks(&facts(), &wanted()), []);
    let mut poor = facts();
    poor.docker.1 = Some(DiskRoom { free: GIB / 2, total: 100 * GIB, inodes: Some(10) });
    poor.state.1 = Some(DiskRoom { free: 0, total: GIB, inodes: Some(3) });
    poor.memory = Some(MemoryRoom { available: 300 * MIB, total: 4 * GIB });
    let lacking = lacks(&poor, &wanted());
    let said: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "docker's data folder /var/lib/docker has 512 MiB free of 4.0 GiB required",
            "docker's data folder /var/lib/docker has 10 free inodes of 50000 required",
            "the state folder /state has 0 MiB free of 256 MiB required",
            "the state folder /state has 3 free inodes of 2000 required",
            "node one has 300 MiB of memory available of 1.0 GiB required",
        ]
    );
    let refusal = failure(&poor, &lacking, &[]);
    assert_eq!(refusal.kind.usual_cause(), base::failure::Cause::Infrastructure);
    assert!(
        refusal.what.starts_with("there are not enough resources for a run: docker's data folder"),
        "{}",
        refusal.what
    );
    assert!(refusal.look_at.contains("--reserve-disk"));
    assert!(refusal.detail.contains("no image could go"), "{}", refusal.detail);
}

#[test]
fn what_nobody_can_tell_is_not_judged() {
    let unknown = Facts {
        node: "far".to_owned(),
        docker: ("/data".to_owned(), None),
        state: ("/state".to_owned(), None),
        memory: None,
    };
    assert_eq!(lacks(&unknown, &wanted()), []);
    assert!(unknown.to_string().contains("unknown"));
    // A file system without an inode limit.
    let mut endless = facts();
    endless.docker.1 = Some(DiskRoom { free: 50 * GIB, total: 100 * GIB, inodes: None });
    assert_eq!(lacks(&endless, &wanted()), []);
}

proptest! {
    #[test]
    fn more_room_never_lacks_more(free in 0..10 * GIB, more in 0..10 * GIB, want in 0..10 * GIB) {
        let of = |free| {
            let mut facts = facts();
            facts.docker.1 = Some(DiskRoom { free, total: 100 * GIB, inodes: None });
            lacks(&facts, &Reserves { docker: want, ..wanted() }).len()
        };
        prop_assert!(of(free + more) <= of(free));
        prop_assert_eq!(of(free) == 0, free >= want);
    }

    #[test]
    fn a_size_is_short(bytes in any::<u64>()) {
        prop_assert!(size(bytes).len() < 20);
    }
}
