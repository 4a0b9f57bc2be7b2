"""What the backup bot does not let a volume do to it, and how it runs hooks: python3 docker/backup-bot/test_backup.py"""
import importlib.machinery
import importlib.util
import contextlib
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.dont_write_bytecode = True
PATH = str(pathlib.Path(__file__).with_name("backup"))
SPEC = importlib.util.spec_from_loader("backup", importlib.machinery.SourceFileLoader("backup", PATH))
backup = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(backup)


class Volumes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # As deep as docker's own: the root of a volume is the first seven parts of a path.
        self.base = os.path.realpath(folder.name)
        while len(self.base.split("/")) < 5:
            self.base += "/x"
        self.own = f"{self.base}/app_data/_data"
        self.other = f"{self.base}/other_data/_data"
        for root in (self.own, self.other):
            os.makedirs(root)
            self.assertEqual(len(root.split("/")), 7)

    def archive(self, **files):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w|") as tar:
            for path, content in files.items():
                entry = tarfile.TarInfo(f"{self.own}/{path}".strip("/"))
                entry.uid, entry.gid, entry.mode, entry.mtime = os.getuid(), os.getgid(), 0o640, 1000
                if content is None:
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o750
                elif isinstance(content, str):
                    entry.type, entry.linkname = tarfile.SYMTYPE, content
                else:
                    entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
        out.seek(0)
        return out

    def text(self, path):
        return pathlib.Path(path).read_bytes()

    def test_files_folders_and_links_come_back_and_nothing_else_goes(self):
        pathlib.Path(self.own, "new").write_bytes(b"new")
        pathlib.Path(self.own, "file").write_bytes(b"longer than before")
        held = open(f"{self.own}/file", "rb")
        self.addCleanup(held.close)
        backup.put_back(self.archive(dir=None, **{"dir/a": b"a", "file": b"old", "link": "/etc/passwd"}), {self.own})
        self.assertEqual(self.text(f"{self.own}/dir/a"), b"a")
        self.assertEqual(self.text(f"{self.own}/new"), b"new")
        self.assertEqual(held.read(), b"old", "whoever has the file open sees what came back")
        self.assertEqual(os.readlink(f"{self.own}/link"), "/etc/passwd")
        facts = os.stat(f"{self.own}/dir")
        self.assertEqual((facts.st_mode & 0o777, facts.st_mtime), (0o750, 1000))
        facts = os.stat(f"{self.own}/dir/a")
        self.assertEqual((facts.st_mode & 0o777, facts.st_mtime), (0o640, 1000))

    def test_no_link_in_the_way_is_followed(self):
        pathlib.Path(self.other, "a").write_bytes(b"theirs")
        os.symlink(self.other, f"{self.own}/dir")
        os.symlink(f"{self.other}/a", f"{self.own}/file")
        backup.put_back(self.archive(dir=None, **{"dir/a": b"mine", "dir/b": b"mine", "file": b"mine"}), {self.own})
        self.assertEqual(os.listdir(self.other), ["a"])
        self.assertEqual(self.text(f"{self.other}/a"), b"theirs")
        self.assertEqual(self.text(f"{self.own}/dir/b"), b"mine")
        self.assertEqual(self.text(f"{self.own}/file"), b"mine")
        self.assertEqual(os.stat(self.other).st_mode & 0o777, 0o755)

    def test_links_of_the_archive_itself_are_not_followed(self):
        backup.put_back(self.archive(**{"dir": self.other, "dir/a": b"mine"}), {self.own})
        self.assertEqual(os.listdir(self.other), [])

    def test_a_pipe_in_the_way_does_not_hold_it_up(self):
        os.mkfifo(f"{self.own}/file")
        backup.put_back(self.archive(file=b"x"), {self.own})
        self.assertEqual(self.text(f"{self.own}/file"), b"x")

    def test_other_volumes_and_ways_out_are_left_out(self):
        backup.put_back(self.archive(**{"../../other_data/_data/a": b"x", "a/../../b": b"x"}), {self.own})
        backup.put_back(self.archive(a=b"x"), {self.other})
        self.assertEqual((os.listdir(self.own), os.listdir(self.other)), ([], []))

    def test_the_fence_holds_what_is_not_the_stacks(self):
        pathlib.Path(self.own, "a").write_bytes(b"mine")
        pathlib.Path(self.other, "a").write_bytes(b"theirs")
        os.symlink(self.other, f"{self.own}/dir")
        os.symlink("/proc/self", f"{self.own}/proc")
        os.mkdir(f"{self.base}/repository")
        os.environ.update(RESTIC_REPOSITORY=f"{self.base}/repository", RESTIC_CACHE_DIR="")
        child = os.fork()
        if child == 0:
            backup.fence([self.own], f"{self.base}/repository")
            said = 0
            for bit, path in enumerate(("dir/a", "proc/environ", "a")):
                try:
                    open(f"{self.own}/{path}", "rb").close()
                except PermissionError:
                    said |= 1 << bit
            os._exit(said)
        said = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if backup.ctypes.CDLL(None).syscall(444, None, backup.ctypes.c_size_t(0), backup.ctypes.c_uint(1)) < 1:
            self.skipTest("this kernel has no Landlock")
        self.assertEqual(said, 0b011)


class Labelled(unittest.TestCase):
    """A stack of two services. The engine runs commands here, as it would in a container, and gives their output as it
    does where there is no terminal."""

    def setUp(self):
        self.running, self.commands, self.ended, self.bash = ["app", "db"], [], {}, True
        self.made = []
        self.engine, backup.engine = backup.engine, self.answer
        self.addCleanup(setattr, backup, "engine", self.engine)
        self.services = []

    def service(self, name, volumes=(), **labels):
        labels = {f"backupbot.{key.replace('__', '.').replace('_', '-')}": value for key, value in labels.items()}
        mounts = [{"Type": "volume", "Source": f"app_{volume}", "Target": target} for volume, target in volumes]
        return self.labelled(name, mounts, labels)

    def labelled(self, name, mounts, labels):
        spec = {"Name": f"app_{name}", "Labels": labels, "TaskTemplate": {"ContainerSpec": {"Mounts": mounts}}}
        self.services.append({"ID": name, "Spec": spec})

    def answer(self, method, path, body=None):
        if path.startswith("/services"):
            return json.dumps(self.services).encode()
        if path.startswith("/containers/json"):
            return json.dumps([{"Id": name} for name in self.running if f"id%3D{name}%22" in path]).encode()
        if path.endswith("/exec"):
            self.assertFalse(body["Tty"])
            self.assertNotIn("AttachStdin", body)
            self.made.append(body["Cmd"])
            return json.dumps({"Id": str(len(self.made) - 1)}).encode()
        number = int(path.split("/")[2])
        if path.endswith("/start"):
            if not self.bash:
                self.ended[number] = 126
                said = b'OCI runtime exec failed: "bash": executable file not found in $PATH'
                return struct.pack(">BxxxI", 1, len(said)) + said
            ended = subprocess.run(self.made[number], stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.ended[number] = ended.returncode
            parts = ((1, ended.stdout), (2, ended.stderr))
            return b"".join(struct.pack(">BxxxI", stream, len(text)) + text for stream, text in parts if text)
        return json.dumps({"ExitCode": self.ended[number]}).encode()

    def said(self, hook="backup.pre-hook"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            for service in backup.backed_up("app"):
                service.run_hook(hook)
        return out.getvalue()

    def test_a_hook_that_fails_is_a_line_and_what_comes_after_it_is_done(self):
        self.service("app", backup="true", backup__pre_hook="echo begun; exit 3")
        self.service("db", backup="true", backup__pre_hook="echo the other")
        said = self.said()
        self.assertIn("begun\nERROR: failed to run command: backup.pre-hook of app ended with exit code 3\n", said)
        self.assertIn("\nthe other\n", said)

    def test_a_hook_that_fails_in_a_pipe_fails(self):
        for command in ("false | cat", "sh -c 'false | cat'", 'bash -c "false | cat"', "/bin/sh -c 'false | cat'"):
            self.services = []
            self.service("app", backup="true", backup__pre_hook=command)
            self.assertIn("ended with exit code 1", self.said(), command)
        # Only a shell that is the whole hook is taken away.
        self.assertEqual(backup.under_bash("sh -c 'false | cat' && true")[2], "set -o pipefail; sh -c 'false | cat' && true")

    def test_a_hook_has_no_terminal_and_nothing_to_read(self):
        self.service("app", backup="true", restore__post_hook="test ! -t 0 && test ! -t 1 && cat && echo no terminal")
        self.assertIn("\nno terminal\n", self.said("restore.post-hook"))

    def test_quotes_in_a_hook_reach_the_shell(self):
        self.service("app", backup="true", backup__pre_hook="""sh -c 'printf "%s|" "a b" c'""")
        self.service("db", backup="true", backup__pre_hook="""printf '%s|' 'a b' c""")
        self.assertEqual(self.said().count("\na b|c|\n"), 2)

    def test_an_image_without_bash_fails_each_hook(self):
        self.bash = False
        self.service("app", backup="true", backup__pre_hook="true")
        self.assertIn("not found in $PATH\nERROR: failed to run command", self.said())

    def test_a_service_without_a_container_ends_the_whole_backup(self):
        self.running = ["db"]
        self.service("app", backup="true", backup__pre_hook="true")
        with self.assertRaisesRegex(backup.Failed, "app: the service has no running container"):
            self.said()

    def paths(self):
        out = io.StringIO()
        exists, inside = os.path.exists, backup.is_inside
        os.path.exists, backup.is_inside = lambda _: True, lambda *_: True
        try:
            with contextlib.redirect_stdout(out):
                found = backup.paths_of("app", backup.backed_up("app"))
        finally:
            os.path.exists, backup.is_inside = exists, inside
        return [path.removeprefix(backup.VOLUMES) for path in found], out.getvalue()

    def test_several_services_with_labels_of_either_scheme_are_one_snapshot(self):
        self.service("app", [("data", "/data"), ("cache", "/cache")], backup="true", backup__path="/data,/etc/passwd", backup__volumes__logs="false")
        self.service("db", [("db", "/var/lib/db")], backup="True", backup__volumes__db__path="dump.sql")
        self.service("web", [("logs", "/logs"), ("uploads", "/uploads")])
        found, said = self.paths()
        self.assertEqual(found, ["/app_data/_data", "/app_db/_data/dump.sql", "/app_uploads/_data"])
        self.assertIn("in no volume of app, left out: /etc/passwd", said)


if __name__ == "__main__":
    unittest.main()
