import os

import pytest
from PIL import Image

from ganzoo.errors import UserError
from ganzoo.outputs import plan


@pytest.fixture
def photos(tmp_path):
    """A folder with images in some places."""
    folder = tmp_path / "photos"
    for name in ("a.jpg", "a.png", "b.v2.bmp", "deep/a.webp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / name)
    return folder


def results(conversions, out):
    return [conversion.result.relative_to(out).as_posix() for conversion in conversions]


def test_each_image_gets_a_file_of_its_own(photos, tmp_path):
    conversions = plan(photos, str(tmp_path / "out"), False)
    names = ["a.jpg.png", "a.png.png", "b.v2.png", "deep/a.png"]
    assert results(conversions, tmp_path / "out") == names
    assert [c.source.name for c in conversions] == ["a.jpg", "a.png", "b.v2.bmp", "a.webp"]
    Image.new("RGB", (4, 4)).save(photos / "A.JPG.bmp")  # the same name on a Mac
    with pytest.raises(UserError, match=r"A\.JPG\.bmp and a\.jpg would become the same file"):
        plan(photos, str(tmp_path / "out"), False)


def test_originals_are_safe(photos, tmp_path):
    for out in (photos, photos / "large", photos / "x" / ".." / "deep", tmp_path / "photos"):
        with pytest.raises(UserError, match="Name a folder outside of it"):
            plan(photos, str(out), True)
    (tmp_path / "link.png").symlink_to(photos / "a.png")
    os.link(photos / "a.png", tmp_path / "same.png")
    for out in (photos / "a.png", tmp_path / "link.png", tmp_path / "same.png", photos):
        with pytest.raises(UserError, match="is an original, which would be replaced"):
            plan(photos / "a.png", str(out), True)
    for name in ("z.png", "deep/z.png"):
        (photos / "deep" / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(photos / "deep" / name)
    with pytest.raises(UserError, match=r"deep.z\.png is an original"):
        plan(photos / "deep", str(photos), True)


def test_what_exists_is_replaced_only_on_demand(photos, tmp_path, capsys):
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    (out / "deep" / "a.png").write_text("mine")
    with pytest.raises(UserError, match=r"a\.png exists already: name another --out, .*--over"):
        plan(photos, str(out), False)
    (out / "a.jpg.png").write_text("mine")
    with pytest.raises(UserError, match=r"a\.jpg\.png and 1 more exist already"):
        plan(photos, str(out), False)
    assert len(plan(photos, str(out), True)) == 4
    assert results(plan(photos, str(out), False, True), out) == ["a.png.png", "b.v2.png"]
    assert "Skipped 2 images, whose results exist" in capsys.readouterr().out
    assert (out / "deep" / "a.png").read_text() == "mine"
    with pytest.raises(UserError, match=r"is a file, and --input=.* a folder"):
        plan(photos, str(out / "a.jpg.png"), True)


def test_a_slash_makes_a_folder(photos, tmp_path):
    for out in (tmp_path, f"{tmp_path}/new/"):
        (conversion,) = plan(photos / "b.v2.bmp", str(out), False)
        assert conversion.result == (tmp_path / str(out) / "b.v2.png")
    (conversion,) = plan(photos / "a.jpg", str(tmp_path / "new"), False)
    assert conversion.result == tmp_path / "new"


def test_a_folder_is_read_as_training_data_are(photos, tmp_path, capsys):
    for name in (
        ".ipynb_checkpoints/c.png",
        "__MACOSX/._a.jpg",
        "._a.jpg",
        "notes.txt",
        "r.nef",
        "x.heic",
    ):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_text("hello")
    (photos / "a.png").rename(photos / "unnamed")
    conversions = plan(photos, str(tmp_path / "out"), False)
    names = ["a.png", "b.v2.png", "deep/a.png", "r.png", "unnamed.png", "x.png"]
    assert results(conversions, tmp_path / "out") == names
    hidden, others = capsys.readouterr().out.splitlines()
    assert hidden.endswith("hidden: ._a.jpg, .ipynb_checkpoints/c.png, __MACOSX/._a.jpg")
    assert others == "Left out, since they are no images: notes.txt"
