use proptest::prelude::*;

use super::*;
use crate::fixtures;

fn bytes_of(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|record| line(record).unwrap()).collect()
}

#[test]
fn what_was_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let records = fixtures::failed_upgrade();
    let mut writer = Writer::create(&path).unwrap();
    for (n, record) in records.iter().enumerate() {
        writer.record(record).unwrap();
        // On disk at once: a reader sees every record while the writer is still open.
        assert_eq!(read(&path).unwrap().records.len(), n + 1);
    }
    assert_eq!(read(&path).unwrap(), Journal { records, remarks: vec![], folder: Some(folder.path().into()) });
    assert!(Writer::create(&path).is_err(), "a journal is never overwritten");
}

#[test]
fn a_full_disk_is_told() {
    let file = File::options().write(true).open("/dev/full").unwrap();
    let mut writer = Writer { file, good: 0 };
    let error = writer.record(&fixtures::passed()[0]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn what_follows_a_failed_write_starts_on_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let records = fixtures::passed();
    let mut writer = Writer::create(&path).unwrap();
    writer.record(&records[0]).unwrap();
    // Half of a line is written, as on a disk that fills up. Then there is space again.
    writer.file.write_all(b"{\"seq\":1,\"at\":\"20").unwrap();
    writer.drop_part();
    writer.record(&records[1]).unwrap();
    assert_eq!(read(&path).unwrap().records, records[..2]);
}

#[test]
fn the_errors_say_what_to_do() {
    let mut newer = serde_json::to_value(&fixtures::passed()[0]).unwrap();
    newer["format"] = 99.into();
    let mut damaged = bytes_of(&fixtures::passed()[..1]);
    damaged.extend_from_slice(b"{\"seq\":1, a damaged disk\n");
    damaged.extend(bytes_of(&fixtures::passed()[2..3]));
    let cases = [
        format!("{newer}\n").into_bytes(),
        Vec::new(),
        b"{\"seq\":0".to_vec(),
        b"<html>\n</html>\n".to_vec(),
        bytes_of(&fixtures::passed()[1..]),
        damaged,
    ];
    let texts: Vec<String> = cases.iter().map(|bytes| parse(bytes).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn an_unknown_event_and_a_gap_are_told() {
    let records = fixtures::passed();
    let mut bytes = bytes_of(&records[..2]);
    bytes.extend_from_slice(b"{\"seq\":2,\"at\":\"2026-11-21T09:00:00Z\",\"ms\":1,\"event\":\"from-tomorrow\"}\n");
    bytes.extend(bytes_of(&records[4..6]));
    let journal = parse(&bytes).unwrap();
    assert_eq!(journal.records.len(), 4);
    insta::assert_snapshot!(journal.remarks.join("\n"));
}

proptest! {
    #[test]
    fn cut_anywhere_a_journal_gives_the_records_before_the_cut(at in 0.0..1.0_f64) {
        let records = fixtures::passed();
        let bytes = bytes_of(&records);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
            reason = "a place in a small file")]
        let at = (bytes.len() as f64 * at) as usize;
        let whole = bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        match parse(&bytes[..at]) {
            Ok(journal) => {
                // The last line may lack only its line break.
                prop_assert!(journal.records.len() == whole || journal.records.len() == whole + 1);
                prop_assert_eq!(&journal.records[..], &records[..journal.records.len()]);
                prop_assert!(journal.remarks.len() <= 1);
            }
            Err(error) => prop_assert!(whole == 0, "{error}"),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }
}

/// A line from before checks had traces.
#[test]
fn a_check_of_an_old_journal_reads_as_before() {
    let old = r#"{"seq":1,"at":"2026-11-21T09:14:03Z","ms":9,"event":"check-ended","stage":"install","check":{"name":"install.answers","origin":"generic","outcome":"passed","text":"it answers","took_ms":7}}"#;
    let record: Record = serde_json::from_str(old).unwrap();
    let crate::event::Event::CheckEnded { check, .. } = &record.event else { panic!("{record:?}") };
    assert_eq!((check.shown.clone(), check.took_ms), (crate::event::CheckTrace::default(), 7));
    assert_eq!(serde_json::to_string(&record).unwrap(), old);
}
