//! The disk of the state folder is full.

use journal::exit::Exit;
use rand::Rng as _;

use super::judge::honest;
use super::live::Live;
use super::scene::{chance, rounds, scene};
use super::way::Disk;

#[test]
fn the_disk_fills_up() {
    let scene = scene();
    for round in 0..rounds().map_or(2, |rounds| rounds.div_ceil(4)) {
        let (judge, states, source) = scene.begin(1, 1);
        let disk = Disk::below(states[0].path(), "8m");
        let mut live = Live::start(scene.run(states[0].path(), source.path(), "n/0", "install"));
        let events = chance("disk", round).random_range(1..20);
        live.after(events);
        disk.fill();
        let said = live.end();
        println!("full after {events} events: exit {}, {}", said.code, said.verdict().line);
        honest(&said, &[Exit::Infrastructure]);
        assert_eq!(said.decided(), "disk-full");
        disk.clear();
        judge.after(&scene);
        drop(disk);
    }
}
