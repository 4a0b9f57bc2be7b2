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
fn what_is_no_fault_of_the_recipe_is_told_with_its_reason() {
    let at = "fatal: unable to access 'https://git.example.org/coop/x.git/': ";
    for (why, means) in [
        ("The requested URL returned error: 502", "down or overloaded"),
        ("The requested URL returned error: 429", "rate limit is exceeded"),
        ("The requested URL returned error: 403", "refuses access"),
        ("The requested URL returned error: 401", "requires a login"),
        ("server certificate verification failed. CAfile: none CRLfile: none", "is not trusted"),
        ("SSL certificate problem: unable to get local issuer certificate", "is not trusted"),
        ("Empty reply from server", "cut off"),
        ("Operation too slow. Less than 1 bytes/sec transferred the last 30 seconds", "stays silent"),
        ("Could not resolve host: git.example.org", "no address"),
    ] {
        let failure = unreadable("x", &format!("{at}{why}"));
        assert_eq!(failure.kind, Kind::SourceUnreachable, "{why}");
        assert!(failure.what.contains(means), "{}", failure.what);
    }
    let asks = "fatal: could not read Username for 'http://127.0.0.1:1': terminal prompts disabled";
    assert!(unreadable("x", asks).what.contains("requires a login"));
    assert_eq!(unreadable("x", "git cannot be started: No such file or directory").kind, Kind::GitUnusable);
    assert_eq!(unreadable("x", &format!("{at}The requested URL returned error: 404")).kind, Kind::InvalidRecipe);
}

#[test]
fn of_gits_words_those_that_say_why_are_kept() {
    let cut = "remote: hi\nfatal: early EOF\nfatal: unpack-objects failed\n";
    assert_eq!(reason(cut), "remote: hi; fatal: early EOF; fatal: unpack-objects failed");
    assert_eq!((reason("").as_str(), reason("a\n\nb\n").as_str()), (NOTHING, "b"));
}

/// A server that answers every request with these bytes, or not at all; returns its address.
fn server(answer: Option<&'static str>) -> (String, std::thread::JoinHandle<()>) {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.git", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
        match answer {
            Some(answer) => {
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                stream.write_all(answer.as_bytes()).unwrap();
            }
            // Until the client gives up.
            None => lines.for_each(drop),
        }
    });
    (url, served)
}

#[test]
fn a_server_that_refuses_or_stays_silent_is_told_apart_from_a_wrong_address() {
    let dir = tempfile::tempdir().unwrap();
    let quick = Patience { silent: Duration::from_secs(1), whole: Duration::from_secs(60) };
    let impatient = Patience { silent: Duration::from_secs(60), whole: Duration::from_millis(300) };
    let close = "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (answer, patience, kind, means) in [
        (Some("429 x"), PATIENCE, Kind::SourceUnreachable, "rate limit is exceeded"),
        (Some("403 x"), PATIENCE, Kind::SourceUnreachable, "refuses access"),
        (Some("401 x\r\nWWW-Authenticate: Basic realm=\"x\""), PATIENCE, Kind::SourceUnreachable, "requires a login"),
        (Some("404 x"), PATIENCE, Kind::InvalidRecipe, "not found"),
        (None, quick, Kind::SourceUnreachable, "stays silent"),
        (None, impatient, Kind::SourceUnreachable, "stays silent"),
    ] {
        let answer: Option<&'static str> = answer.map(|status| &*format!("HTTP/1.1 {status}{close}").leak());
        let (url, served) = server(answer);
        let failure = Checkout::clone_within(&url, &dir.path().join("to"), None, patience).unwrap_err();
        assert_eq!(failure.kind, kind, "{}", failure.what);
        assert!(failure.what.contains(means), "{}", failure.what);
        // If git was killed before it connected, the server would still wait.
        drop(std::net::TcpStream::connect(url.trim_start_matches("http://").trim_end_matches("/x.git")));
        served.join().unwrap();
        let _ = std::fs::remove_dir_all(dir.path().join("to"));
    }
}

#[test]
fn a_folder_whose_head_is_nonsense_is_told_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    git(Some(dir.path()), &["init", "--quiet", "."].map(OsString::from)).unwrap();
    std::fs::write(dir.path().join(".git/HEAD"), "nonsense\n").unwrap();
    let failure = Checkout::clone_from(dir.path().to_str().unwrap(), &dir.path().join("to"), None).unwrap_err();
    assert!(failure.what.contains("is no git repository"), "{}", failure.what);
    let failure = Checkout::read_only(dir.path()).resolve(&Revision::Default).unwrap_err();
    assert!(failure.what.contains("is no git repository"), "{}", failure.what);
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
    // This encoding writes a yen sign as a backslash, so that the file on disk would differ.
    let attributes = "a working-tree-encoding=SHIFT_JIS\nb ident\nc text eol=crlf\n";
    std::fs::write(from.join(".git/info/attributes"), "* -text !working-tree-encoding\n").unwrap();
    for (name, text) in [(".gitattributes", attributes), ("a", "\u{a5}"), ("b", "$Id$"), ("c", "x\ny\n")] {
        std::fs::write(from.join(name), text).unwrap();
    }
    std::os::unix::fs::symlink(&outside, from.join("link")).unwrap();
    run(&["add", "--all"]);
    run(&["-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "-m", "x"]);
    let checkout = Checkout::clone_from(from.to_str().unwrap(), &to, None).unwrap();
    checkout.check_out("HEAD").unwrap();
    for name in ["a", "b", "c"] {
        let disk = std::fs::read_to_string(to.join(name)).ok();
        assert_eq!(disk, checkout.file("HEAD", name), "{name}");
    }
    assert!(to.join("link").symlink_metadata().unwrap().is_file());
    let links: Vec<_> = checkout.tree("HEAD").unwrap().into_iter().filter(|entry| entry.is_link).collect();
    assert_eq!(links.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["link"]);
    // A cached file is not requested from git again, whether it existed or not.
    assert_eq!(checkout.file("HEAD", "none"), None);
    std::fs::remove_dir_all(to.join(".git")).unwrap();
    assert_eq!(checkout.file("HEAD", "c").as_deref(), Some("x\ny\n"));
    assert_eq!((checkout.file("HEAD", "none"), checkout.tree("HEAD").unwrap().len()), (None, 5));
    assert!(checkout.file("HEAD", "link").is_none() && checkout.tree("main").is_err(), "git is gone");
}

#[test]
fn what_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let failure = Checkout::clone_from("no/such/folder", &dir.path().join("x"), None).unwrap_err();
    assert!(failure.what.contains("no/such/folder"), "{failure}");
}

/// A repository with a pull request.
struct Forge {
    dir: tempfile::TempDir,
}

impl Forge {
    fn new() -> Self {
        Self::with("sha1")
    }

    /// With commit ids of this kind.
    fn with(format: &str) -> Self {
        let forge = Self { dir: tempfile::tempdir().unwrap() };
        forge.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={format}"), "."]);
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

    /// Sets the pull request's head, and removes it from every branch.
    fn proposes(&self, commit: &Commit) {
        self.git(&["update-ref", "refs/pull/7/head", commit.as_str()]);
        self.git(&["reset", "--quiet", "--hard", "main"]);
    }

    /// The commit that a run with this pinned commit would test.
    fn tests(&self, commit: &Commit) -> Result<Commit, Failure> {
        let to = tempfile::tempdir().unwrap();
        // Over a protocol, as from a forge: a copy of the folder would have everything.
        let source = format!("file://{}", self.dir.path().display());
        let checkout = Checkout::clone_from(&source, &to.path().join("clone"), None).unwrap();
        checkout.resolve(&Revision::Pinned { pull: 7, commit: commit.clone() }).inspect(|commit| {
            checkout.check_out(commit.as_str()).unwrap();
        })
    }
}

#[test]
fn a_commits_subject_is_what_git_says() {
    let forge = Forge::new();
    for text in ["one line", "two\nlines\n\nand a body", "\n\n  after  \nempty ones", "größer \u{1f980}"] {
        let commit = forge.commits(text);
        let checkout = Checkout::to_look_at(forge.dir.path()).unwrap();
        assert_eq!(checkout.subject(&commit), forge.git(&["log", "-1", "--format=%s"]).trim(), "{text:?}");
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

    // The forge collects garbage.
    forge.git(&["reflog", "expire", "--expire=now", "--all"]);
    forge.git(&["gc", "--quiet", "--prune=now"]);
    let gone = forge.tests(&pinned).unwrap_err();
    assert_eq!(gone.kind, Kind::CommitGone);
    assert!(gone.what.contains(pinned.as_str()) && gone.look_at.contains("a new `!testme`"), "{gone:?}");
}

#[test]
fn a_repository_with_sha_256_is_one_like_any_other() {
    let forge = Forge::with("sha256");
    std::fs::write(forge.dir.path().join("compose.yml"), "was").unwrap();
    forge.git(&["add", "--all"]);
    let release = forge.commits("a release");
    assert_eq!(release.as_str().len(), 64);
    forge.git(&["tag", "--annotate", "--message", "x", "1.0.0+1"]);
    forge.git(&["tag", "light"]);
    forge.git(&["checkout", "--quiet", "--detach"]);
    std::fs::write(forge.dir.path().join("compose.yml"), "is").unwrap();
    forge.git(&["add", "--all"]);
    let pinned = forge.commits("asked for");
    let later = forge.commits("pushed since");
    forge.git(&["checkout", "--quiet", "main"]);
    forge.proposes(&later);
    assert_eq!(forge.tests(&pinned).unwrap(), pinned);

    let to = tempfile::tempdir().unwrap();
    let source = format!("file://{}", forge.dir.path().display());
    let checkout = Checkout::clone_from(&source, &to.path().join("clone"), None).unwrap();
    assert_eq!(checkout.resolve(&Revision::Default).unwrap(), release);
    assert_eq!(checkout.resolve(&Revision::Named(release.to_string())).unwrap(), release);
    assert_eq!(checkout.resolve(&Revision::PullRequest(7)).unwrap(), later);
    let tags: Vec<_> = checkout.tags().unwrap().into_iter().map(|tag| (tag.name, tag.annotated, tag.commit)).collect();
    let of = |name: &str, annotated| (name.to_owned(), annotated, release.to_string());
    assert_eq!(tags, [of("1.0.0+1", true), of("light", false)]);
    assert_eq!(checkout.changed("1.0.0+1", later.as_str()).unwrap(), ["compose.yml"]);
    assert_eq!(checkout.file(later.as_str(), "compose.yml").as_deref(), Some("is"));
    assert_eq!(checkout.tree(later.as_str()).unwrap().len(), 1);

    // Uncommitted changes, too.
    std::fs::write(forge.dir.path().join("compose.yml"), "new").unwrap();
    let whole = Checkout::clone_from(forge.dir.path().to_str().unwrap(), &to.path().join("whole"), None).unwrap();
    let commit = whole.resolve(&Revision::WorkTree(forge.dir.path().to_owned())).unwrap();
    assert_eq!((commit.as_str().len(), whole.file(commit.as_str(), "compose.yml").as_deref()), (64, Some("new")));
}

#[test]
fn a_pull_request_that_is_not_there_is_told() {
    let forge = Forge::new();
    let head = forge.commits("on main");
    let failure = forge.tests(&head).unwrap_err();
    assert!(failure.what.contains("no pull request 7"), "{failure:?}");
}

/// A repository with a commit and uncommitted changes: a modified file, a deleted one, a new script, and an ignored
/// file.
fn edited() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let run = |args: &[&str]| git(Some(dir.path()), &args.iter().map(OsString::from).collect::<Vec<_>>()).unwrap();
    run(&["init", "--quiet", "--initial-branch=main"]);
    for (name, text) in [("compose.yml", "was"), ("gone", "was"), ("same", "was"), (".gitignore", "secret\n")] {
        put(name, text);
    }
    run(&["add", "--all"]);
    run(&["-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "-m", "first"]);
    put("compose.yml", "is");
    put("secret", "mine");
    put("new.sh", "#!/bin/sh");
    std::fs::set_permissions(dir.path().join("new.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(dir.path().join("gone")).unwrap();
    dir
}

#[test]
fn what_is_not_committed_is_named_and_tested_only_where_that_is_asked_for() {
    let dir = edited();
    let state = || {
        let of = |args: &[&str]| git(Some(dir.path()), &args.iter().map(OsString::from).collect::<Vec<_>>()).unwrap();
        (of(&["status", "--porcelain"]), of(&["for-each-ref"]), of(&["count-objects", "-v"]))
    };
    let before = state();
    assert_eq!(uncommitted(dir.path()), ["compose.yml", "gone", "new.sh"]);

    let to = tempfile::tempdir().unwrap();
    let source = dir.path().to_str().unwrap();
    let committed = Checkout::clone_from(source, &to.path().join("committed"), None).unwrap();
    let head = committed.resolve(&Revision::Default).unwrap();
    committed.check_out(head.as_str()).unwrap();
    assert_eq!(committed.file("HEAD", "compose.yml").as_deref(), Some("was"));
    assert_eq!(committed.file("HEAD", "new.sh"), None);

    let whole = Checkout::clone_from(source, &to.path().join("whole"), None).unwrap();
    let commit = whole.resolve(&Revision::WorkTree(dir.path().to_owned())).unwrap();
    whole.check_out(commit.as_str()).unwrap();
    let disk = |name: &str| std::fs::read_to_string(to.path().join("whole").join(name)).ok();
    assert_eq!(disk("compose.yml").as_deref(), Some("is"));
    assert_eq!((disk("gone"), disk("secret"), disk("same").as_deref()), (None, None, Some("was")));
    let tree = whole.tree("HEAD").unwrap();
    assert!(tree.iter().any(|entry| entry.path == "new.sh" && entry.is_executable), "{tree:?}");
    let log = whole.git(&["log", "-1", "--format=%s|%P"]).unwrap();
    assert_eq!(log.trim(), format!("not committed yet, on top of {}: first|{head}", &head.as_str()[..8]));
    // The same files give the same tree; the folder's own repository is unchanged.
    assert_eq!(state(), before);

    let looked_at = Checkout::to_look_at(dir.path()).unwrap();
    assert_eq!(looked_at.resolve(&Revision::WorkTree(dir.path().to_owned())).unwrap_err().kind, Kind::Bug);
    assert_eq!(uncommitted(to.path()), Vec::<String>::new(), "that is no repository");
}

#[test]
fn a_folder_in_a_repository_and_one_outside_of_any_are_told() {
    let dir = edited();
    let below = dir.path().join("recipes/notes");
    std::fs::create_dir_all(&below).unwrap();
    let to = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    for (folder, says, look_at) in [
        (below.as_path(), format!("is a folder in the repository {}", dir.path().display()), "git subtree split"),
        (outside.path(), "is no git repository".to_owned(), "git init"),
    ] {
        let cloned = Checkout::clone_from(folder.to_str().unwrap(), &to.path().join("x"), None).unwrap_err();
        let looked = Checkout::to_look_at(folder).unwrap_err();
        for failure in [cloned, looked] {
            assert_eq!(failure.kind, Kind::InvalidRecipe);
            assert!(failure.what.contains(&says) && failure.look_at.contains(look_at), "{failure:?}");
        }
    }
    // A bare repository and a work tree of another are repositories.
    let bare = to.path().join("bare");
    let args = ["clone", "--quiet", "--bare", dir.path().to_str().unwrap(), bare.to_str().unwrap()];
    git(None, &args.map(OsString::from)).unwrap();
    let tree = to.path().join("tree");
    git(Some(dir.path()), &["worktree", "add", "--quiet", tree.to_str().unwrap()].map(OsString::from)).unwrap();
    for folder in [bare, tree] {
        Checkout::to_look_at(&folder).unwrap().resolve(&Revision::Default).unwrap();
    }
}

#[test]
fn files_are_read_one_after_the_other_whatever_they_hold() {
    let forge = Forge::new();
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for (name, bytes) in [("a b.txt", b"x\ny missing\n".as_slice()), ("empty", b""), ("binary", &binary)] {
        std::fs::write(forge.dir.path().join(name), bytes).unwrap();
    }
    std::fs::create_dir(forge.dir.path().join("folder")).unwrap();
    std::fs::write(forge.dir.path().join("folder/c"), "c").unwrap();
    std::os::unix::fs::symlink("empty", forge.dir.path().join("link")).unwrap();
    forge.git(&["add", "."]);
    let commit = forge.commits("files");
    let checkout = Checkout::read_only(forge.dir.path());
    let file = |path: &str| checkout.file(commit.as_str(), path);
    assert_eq!(file("a b.txt").as_deref(), Some("x\ny missing\n"));
    assert_eq!((file("no such"), file("folder"), file("binary"), file("a\nb")), (None, None, None, None));
    assert_eq!((file("empty").as_deref(), file("link").as_deref()), (Some(""), Some("empty")));
    assert_eq!(checkout.file("main", "folder/c").as_deref(), Some("c"));
    assert_eq!(checkout.file("no-such-branch", "empty"), None);
    assert_eq!(checkout.object("main:binary", "blob"), Some(binary));

    // A branch of a user's repository moves while it is read.
    std::fs::write(forge.dir.path().join("folder/c"), "d").unwrap();
    forge.git(&["add", "."]);
    forge.commits("more");
    assert_eq!(checkout.file("main", "folder/c").as_deref(), Some("d"));
    assert_eq!(checkout.file(commit.as_str(), "folder/c").as_deref(), Some("c"));
}
