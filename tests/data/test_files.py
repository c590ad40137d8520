import zipfile

import numpy as np
import pytest

from ganzoo.data import check, inspect, open_source
from ganzoo.errors import UserError

from .helpers import encoded, noise, write_images


def _zip(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _open(path, **options):
    settings = {"image_size": 16, "channels": 3, "progress": False} | options
    return open_source(f"folder:{path}", **settings)


def test_nested_files_come_in_the_order_of_their_names(tmp_path):
    for i, name in enumerate(["b/1.png", "a/c/2.png", "a/1.png", "3.png"]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        noise(i).save(tmp_path / name)
    found = _open(tmp_path).read(np.arange(4))
    wanted = [np.asarray(noise(i)) for i in (3, 2, 1, 0)]
    assert np.array_equal(found["image"], wanted) and not found["label"].any()


def test_hidden_files_are_left_out(tmp_path):
    write_images(tmp_path, 2)
    write_images(tmp_path / ".thumbnails", 1)
    write_images(tmp_path / "__MACOSX", 1)
    (tmp_path / "._0000.png").write_bytes(b"resource fork")
    assert len(_open(tmp_path)) == 2


def test_the_first_folder_is_the_class(tmp_path):
    write_images(tmp_path / "dogs", 2)
    write_images(tmp_path / "cats" / "tabby", 3)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no image, hence no class")
    source = _open(tmp_path, labels=True)
    assert source.class_names == ("cats", "dogs") and source.num_classes == 2
    assert source.read(np.arange(5))["label"].tolist() == [0, 0, 0, 1, 1]
    assert inspect(f"folder:{tmp_path}", labels=True).num_classes == 2
    assert _open(tmp_path).fingerprint != source.fingerprint


def test_a_folder_that_all_share_is_no_class(tmp_path):
    write_images(tmp_path / "pets" / "dogs", 1)
    write_images(tmp_path / "pets" / "cats", 1)
    assert _open(tmp_path, labels=True).class_names == ("cats", "dogs")
    assert _open(tmp_path / "pets" / "dogs", labels=False).class_names == ()


def test_one_class_is_a_class(tmp_path):
    write_images(tmp_path / "dogs", 2)
    assert _open(tmp_path, labels=True).class_names == ("dogs",)


def test_an_image_outside_of_the_classes_is_bad(tmp_path):
    write_images(tmp_path / "dogs", 1)
    write_images(tmp_path, 1)
    with pytest.raises(UserError, match=r"0000\.png: lies outside of the class folders"):
        _open(tmp_path, labels=True)


def test_labels_need_class_folders(tmp_path):
    with pytest.raises(UserError, match="no class folders"):
        _open(write_images(tmp_path, 1), labels=True)


def test_a_zip_reads_like_its_folder(tmp_path):
    folder = write_images(tmp_path / "images" / "a", 3).parent
    write_images(folder / "b", 2, format="JPEG")
    members = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    file = _zip(tmp_path / "images.zip", members, compression=zipfile.ZIP_DEFLATED)
    sources = [_open(folder, labels=True), _open(file, labels=True)]
    sources.append(open_source(f"zip:{file}", image_size=16, channels=3, labels=True))
    assert len({source.fingerprint for source in sources}) == 1
    read = [source.read(np.arange(5)) for source in sources]
    assert all(np.array_equal(found["image"], read[0]["image"]) for found in read)
    assert all(np.array_equal(found["label"], [0, 0, 0, 1, 1]) for found in read)


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "a/../../b.png", "C:\\a.png", "..\\a"])
def test_a_zip_with_a_path_outside_is_refused(tmp_path, name):
    file = _zip(tmp_path / "evil.zip", {"fine.png": encoded(noise()), name: encoded(noise())})
    with pytest.raises(UserError, match="leads outside"):
        _open(file)


def test_an_encrypted_zip_is_refused(tmp_path):
    file = _zip(tmp_path / "secret.zip", {"a.png": encoded(noise())})
    data = bytearray(file.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    file.write_bytes(data)
    with pytest.raises(UserError, match="encrypted"):
        _open(file)


def test_a_zip_that_python_cannot_unpack_is_refused(tmp_path):
    file = _zip(tmp_path / "large.zip", {"a.png": encoded(noise())})
    data = bytearray(file.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 9  # the method in the central directory
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"compressed with Deflate64 \('a\.png'\), .* Unpack it"):
        _open(file)


def test_a_zip_of_windows_or_a_mac_has_its_folders_and_names(tmp_path):
    names = [r"my\cat\1.png", r"my\dog\1.png", "my\\été\\1.png", r"__MACOSX\my\cat\._1.png"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, encoded(noise()))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = -1
        while (start := data.find(signature, start + 1)) >= 0:
            data[start + offset + 1] &= ~8  # as Macs do: UTF-8, without the flag that says so
    (tmp_path / "a.zip").write_bytes(data)
    source = _open(tmp_path / "a.zip", labels=True)
    assert source.class_names == ("cat", "dog", "été") and len(source) == 3


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    write_images(tmp_path / "store" / "cat", 2)
    write_images(tmp_path / "pets" / "dog", 1)
    (tmp_path / "pets" / "cat").symlink_to(tmp_path / "store" / "cat")
    (tmp_path / "pets" / "dog" / "again").symlink_to(tmp_path / "pets")
    (tmp_path / "store" / "cat" / "other").symlink_to(tmp_path / "pets" / "dog")
    source = _open(tmp_path / "pets", labels=True)
    assert source.class_names == ("cat", "dog")
    assert source.read(np.arange(len(source)))["label"].tolist() == [0, 0, 0, 1]
    report = check(f"folder:{tmp_path / 'pets'}", labels=True, progress=False)
    followed, left = "a link to a folder, followed", "a link to a folder that it lies in, left out"
    assert {p.path: p.reason for p in report.problems} == {
        "cat": followed,
        "cat/other": followed,
        "cat/other/again": left,
        "dog/again": left,
    }


@pytest.mark.parametrize("dataset", ["folder:", "folder", "zip: ", "unpaired:"])
def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch, dataset):
    monkeypatch.chdir(write_images(tmp_path, 1))
    with pytest.raises(UserError, match="names no path; is a variable of the shell unset"):
        check(dataset, progress=False)


def test_the_folder_of_an_unknown_user_is_told():
    with pytest.raises(UserError, match="~nobody-here stands for no home directory"):
        check("folder:~nobody-here/a", progress=False)


def test_a_damaged_member_of_a_zip_is_bad(tmp_path):
    pixels = encoded(noise(), "BMP")  # without a checksum of its own
    file = _zip(tmp_path / "images.zip", {"a.bmp": pixels, "b.bmp": encoded(noise(1), "BMP")})
    data = file.read_bytes()
    file.write_bytes(data.replace(pixels[-50:], bytes(50)))
    with pytest.raises(UserError, match=r"1 of 2 files.*\n *a\.bmp: unreadable: Bad CRC"):
        _open(file)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "is empty"),
        (lambda path: None, "no folder .* nearest folder that exists"),
        (lambda path: path.write_text("hello"), "is a file, expected a folder or a .zip"),
        (lambda path: _zip(path, {}), "is empty"),
        (lambda path: _zip(path, {"a.txt": b"hello"}), "holds no image"),
    ],
)
def test_what_holds_no_images_is_explained(tmp_path, make, message):
    make(tmp_path / "images")
    with pytest.raises(UserError, match=message):
        _open(tmp_path / "images")


def test_a_folder_of_text_files_is_explained(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("hello")
    with pytest.raises(
        UserError, match=r"none of its 5 files is one \(0\.txt: not an image; 1\.txt"
    ):
        _open(tmp_path)


@pytest.mark.parametrize("content", [b"hello", encoded(noise())])
def test_what_is_no_zip_is_explained(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match="not a zip file"):
        open_source(f"zip:{tmp_path / 'a.zip'}", image_size=16, channels=3)
    with pytest.raises(UserError, match="no zip file"):
        open_source(f"zip:{tmp_path / 'b.zip'}", image_size=16, channels=3)


def test_a_truncated_zip_is_explained(tmp_path):
    file = _zip(tmp_path / "a.zip", {"a.png": encoded(noise())})
    file.write_bytes(file.read_bytes()[:-30])
    for kind in ("folder", "zip"):
        with pytest.raises(UserError, match=r"cut off or damaged: .* Copy or download it again"):
            open_source(f"{kind}:{file}", image_size=16, channels=3)


def test_inspect_reads_headers_only(tmp_path, monkeypatch):
    for i, side in enumerate([20, 30, 40]):
        noise(i, side).save(tmp_path / f"{side}.png")
    (tmp_path / "README.txt").write_text("hello")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    info = inspect(f"folder:{tmp_path}")
    assert info[:5] == (f"folder:{tmp_path}", (30, 30), 3, 0, 4)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("LA", 1), ("P", 3)])
def test_inspect_finds_the_channels(tmp_path, mode, channels):
    (tmp_path / "a.tiff").write_bytes(encoded(noise(mode=mode), "TIFF"))
    assert inspect(f"folder:{tmp_path}").channels == channels


def test_one_image_in_color_is_enough(tmp_path):
    for i in range(130):
        noise(i, 8, "L").save(tmp_path / f"{i:03d}.png")
    assert inspect(f"folder:{tmp_path}").channels == 1
    noise(0, 8).save(tmp_path / "003.png")  # not among the 64 headers that the size is told from
    assert inspect(f"folder:{tmp_path}").channels == 3


def test_inspect_does_not_guess_from_nothing(tmp_path):
    for i in range(130):
        (tmp_path / f"{i:03d}.txt").write_text("hello")
    noise().save(tmp_path / "001.png")
    with pytest.raises(UserError, match="Set image_size and channels"):
        inspect(f"folder:{tmp_path}")
