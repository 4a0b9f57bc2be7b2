//! Resources, memory and disk, from the real engine and the kernel.

use swarm::{DiskRoom, MemoryRoom, Removal};

use crate::support::*;

#[tokio::test]
async fn a_container_on_the_node_tells_the_same_as_the_kernel() {
    let swarm = swarm().await;
    let near = swarm.room(soon(30)).await.unwrap();
    let here = DiskRoom::of(std::path::Path::new(&near.data_root)).unwrap();
    let (disk, memory) = swarm.room_by_container(soon(30)).await.unwrap();
    let (disk, memory) = (disk.expect("the world's backup bot tells"), memory.unwrap());
    assert_eq!(disk.total / 1024, here.total / 1024);
    // Other processes write meanwhile.
    assert!(disk.free.abs_diff(here.free) < 2 << 30, "{disk:?} {here:?}");
    assert!(disk.inodes.unwrap().abs_diff(here.inodes.unwrap()) < 500_000, "{disk:?} {here:?}");
    assert_eq!(memory.total, MemoryRoom::here().unwrap().total);
    assert_eq!(near.memory.unwrap().total, memory.total);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_peak_of_what_two_containers_hold_is_measured() {
    with_stack(async |stack| {
        let meter = stack.swarm.meter(std::slice::from_ref(&stack.name));
        // A shell that holds 32 MiB in a variable permanently.
        let script = r"b=/bin/busybox; x=$($b head -c 33554432 /dev/zero | $b tr '\0' a); $b tail -f /dev/null & wait";
        let holds = || runs(&["sh", "-c", script]);
        stack.deploy(vec![("one", holds()), ("two", holds())]).await.unwrap();
        let measured = async {
            loop {
                meter.next().await;
                let all = meter.take().map_or(0, |peaks| peaks.all);
                if all > 64 << 20 {
                    return all;
                }
            }
        };
        let all = tokio::time::timeout_at(soon(30).into(), measured).await.expect("both are seen to hold it");
        assert!(all < 400 << 20, "{all}");
        // Memory of ended containers does not count.
        assert_eq!(stack.swarm.remove(&stack.name, Removal::Kill, soon(30)).await.unwrap(), []);
        let gone = async {
            while meter.take().is_some() {
                meter.next().await;
            }
        };
        tokio::time::timeout_at(soon(30).into(), gone).await.expect("nothing is held in the end");
    })
    .await;
}
