use super::*;

#[test]
fn odd_refs_are_refused() {
    for text in ["", "-x", "--upload-pack=x", "a b", "a..b", "$(x)", "/etc", "a\nb", "x@{1}", "é"] {
        assert!(!is_ref(text), "{text:?}");
    }
    for text in ["main", "broken/image-missing", "1.0.0+1.22.1", "v1.2_3-rc"] {
        assert!(is_ref(text), "{text:?}");
    }
}

#[test]
fn a_forge_that_is_down_or_not_believed_is_no_fault_of_the_recipe() {
    let at = "fatal: unable to access 'https://git.example.org/coop/x.git/': ";
    for why in [
        "The requested URL returned error: 502",
        "server certificate verification failed. CAfile: none CRLfile: none",
        "SSL certificate problem: unable to get local issuer certificate",
        "Empty reply from server",
    ] {
        assert_eq!(unreadable("x", &format!("{at}{why}")).kind, Kind::SourceUnreachable, "{why}");
    }
    let none = format!("{at}The requested URL returned error: 403");
    assert_eq!(unreadable("x", &none).kind, Kind::InvalidRecipe);
}

#[test]
fn credentials_are_not_shown() {
    assert_eq!(without_credentials("https://me:pw@git.example.org/a/b.git"), "https://git.example.org/a/b.git");
    assert_eq!(without_credentials("https://me:p@w@x.org/a@b"), "https://x.org/a@b");
    assert_eq!(without_credentials("some/folder"), "some/folder");
}

#[test]
fn a_line_of_a_tree_is_read() {
    let entry = |line: &str| entry(line).map(|entry| (entry.path, entry.is_executable));
    assert_eq!(entry("100755 blob 0a\ttests/a b.sh"), Some(("tests/a b.sh".to_owned(), true)));
    assert_eq!(entry("100644 blob 0a\ttests/a.sh"), Some(("tests/a.sh".to_owned(), false)));
    assert_eq!(entry("120000 blob 0a\ttests/link.sh"), Some(("tests/link.sh".to_owned(), false)));
    assert_eq!(entry("100755"), None);
}

#[test]
fn what_is_checked_out_is_what_was_committed_and_no_link() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, outside) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("outside"));
    std::fs::create_dir(&from).unwrap();
    std::fs::write(&outside, "mine").unwrap();
    let run = |args: &[&str]| git(Some(&from), &args.iter().map(OsString::from).collect::<Vec<_>>()).unwrap();
    run(&["init", "--quiet"]);
    // This encoding writes a yen sign as a backslash, so that the disk would have another text.
    let attributes = "a working-tree-encoding=SHIFT_JIS\nb ident\nc text eol=crlf\n";
    std::fs::write(from.join(".git/info/attributes"), "* -text !working-tree-encoding\n").unwrap();
    for (name, text) in [(".gitattributes", attributes), ("a", "\u{a5}"), ("b", "$Id$"), ("c", "x\ny\n")] {
        std::fs::write(from.join(name), text).unwrap();
    }
    std::os::unix::fs::symlink(&outside, from.join("link")).unwrap();
    run(&["add", "--all"]);
    run(&["-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "-m", "x"]);
    let checkout = Checkout::clone_from(from.to_str().unwrap(), &to).unwrap();
    checkout.check_out("HEAD").unwrap();
    for name in ["a", "b", "c"] {
        let disk = std::fs::read_to_string(to.join(name)).ok();
        assert_eq!(disk, checkout.file("HEAD", name), "{name}");
    }
    assert!(to.join("link").symlink_metadata().unwrap().is_file());
    let links: Vec<_> = checkout.tree("HEAD").unwrap().into_iter().filter(|entry| entry.is_link).collect();
    assert_eq!(links.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["link"]);
}

#[test]
fn what_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let failure = Checkout::clone_from("no/such/folder", &dir.path().join("x")).unwrap_err();
    assert!(failure.what.contains("no/such/folder"), "{failure}");
}

/// A repository with a pull request, and what happens to it.
struct Forge {
    dir: tempfile::TempDir,
}

impl Forge {
    fn new() -> Self {
        let forge = Self { dir: tempfile::tempdir().unwrap() };
        forge.git(&["init", "--quiet", "--initial-branch=main", "."]);
        forge.commits("first");
        forge
    }

    fn git(&self, args: &[&str]) -> String {
        let who = ["-c", "user.name=x", "-c", "user.email=x"];
        git(Some(self.dir.path()), &who.iter().chain(args).map(OsString::from).collect::<Vec<_>>()).unwrap()
    }

    fn commits(&self, text: &str) -> Commit {
        self.git(&["commit", "--quiet", "--allow-empty", "-m", text]);
        self.git(&["rev-parse", "HEAD"]).trim().parse().unwrap()
    }

    /// Puts the pull request there, and takes it off every branch.
    fn proposes(&self, commit: &Commit) {
        self.git(&["update-ref", "refs/pull/7/head", commit.as_str()]);
        self.git(&["reset", "--quiet", "--hard", "main"]);
    }

    /// What a run that was asked for this commit would test.
    fn tests(&self, commit: &Commit) -> Result<Commit, Failure> {
        let to = tempfile::tempdir().unwrap();
        // Over a protocol, as from a forge: a copy of the folder would have everything.
        let source = format!("file://{}", self.dir.path().display());
        let checkout = Checkout::clone_from(&source, &to.path().join("clone")).unwrap();
        checkout.resolve(&Revision::Pinned { pull: 7, commit: commit.clone() }).inspect(|commit| {
            checkout.check_out(commit.as_str()).unwrap();
        })
    }
}

#[test]
fn a_push_does_not_change_what_is_tested() {
    let forge = Forge::new();
    forge.git(&["checkout", "--quiet", "--detach"]);
    let pinned = forge.commits("asked for");
    let later = forge.commits("pushed since");
    forge.git(&["checkout", "--quiet", "main"]);
    forge.proposes(&later);
    assert_eq!(forge.tests(&pinned).unwrap(), pinned);
}

#[test]
fn a_push_with_force_changes_it_no_more_as_long_as_the_forge_has_the_commit() {
    let forge = Forge::new();
    forge.git(&["checkout", "--quiet", "--detach"]);
    let pinned = forge.commits("asked for");
    forge.git(&["checkout", "--quiet", "--detach", "main"]);
    let other = forge.commits("in its place");
    forge.git(&["checkout", "--quiet", "main"]);
    forge.proposes(&other);
    assert_eq!(forge.tests(&pinned).unwrap(), pinned);

    // Now the forge has cleaned up.
    forge.git(&["reflog", "expire", "--expire=now", "--all"]);
    forge.git(&["gc", "--quiet", "--prune=now"]);
    let gone = forge.tests(&pinned).unwrap_err();
    assert_eq!(gone.kind, Kind::CommitGone);
    assert!(gone.what.contains(pinned.as_str()) && gone.look_at.contains("a new word"), "{gone:?}");
}

#[test]
fn a_pull_request_that_is_not_there_is_told() {
    let forge = Forge::new();
    let head = forge.commits("on main");
    let failure = forge.tests(&head).unwrap_err();
    assert!(failure.what.contains("no pull request 7"), "{failure:?}");
}
