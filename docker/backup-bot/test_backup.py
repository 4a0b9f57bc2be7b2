"""What the backup bot does not let a volume do to it: python3 docker/backup-bot/test_backup.py"""
import importlib.machinery
import importlib.util
import io
import os
import pathlib
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


if __name__ == "__main__":
    unittest.main()
