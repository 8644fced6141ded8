import pytest

from fasttransfer.files import fresh_folder, write_whole


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "below" / "file.txt"
    write_whole(path, lambda file: file.write(b"first"))

    def fail(file):
        file.write(b"half of the sec")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def test_fresh_folders_are_numbered(tmp_path):
    assert fresh_folder(tmp_path / "a") == tmp_path / "a"
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").mkdir()
    assert fresh_folder(tmp_path / "a") == tmp_path / "a-3"
