"""Image sets by name: splits, options, limits, labels for people; trees of image files in folders and archives."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import image_archives as made
import numpy as np
import pytest
from data_files import line_of
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.image_sets import fashion_mnist, trees
from search_spaces.image_sets.base import evenly
from search_spaces.images import IMAGE_SETS, content_digest, load_images


@pytest.fixture(autouse=True)
def _alone(cache: Path, no_data_folder: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty cache, without a data folder unless a test sets one, and without the Debian package."""
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "not installed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of twelve images, three of either class in either split."""
    return made.put_tree(tmp_path / "pets", made.tree_members())


# digits, and what all sets have


def test_digits_are_those_of_scikit_learn_split_in_two() -> None:
    from sklearn.datasets import load_digits

    data, whole = load_images("digits"), load_digits()
    assert data.train_images.shape == (1200, 1, 8, 8)
    assert data.test_images.shape == (597, 1, 8, 8)
    assert data.train_images.dtype == np.uint8
    assert data.train_labels.dtype == np.int64
    np.testing.assert_array_equal(np.bincount(data.train_labels), [120] * 10)
    assert (data.train_images.min(), data.train_images.max()) == (0, 255)

    def rows(images: Any, labels: Any) -> list[bytes]:
        shades = np.rint(np.asarray(images).reshape(-1, 64) * (16 / 255)).astype(np.int64)
        return sorted(row.tobytes() for row in np.column_stack([shades, labels]))

    found = rows(np.concatenate([data.train_images, data.test_images]), [*data.train_labels, *data.test_labels])
    assert found == rows(whole.images * (255 / 16), whole.target), "every image once, with its label"
    assert (data.name, data.label, data.remark) == ("digits", "digits", "")
    assert data.options == {"limit": None, "pad": 1, "flip": False, "cutout": 0}


def test_mean_and_deviation_are_those_of_the_training_images(root: Path) -> None:
    data = load_images("folder", path=str(root))
    mean, deviation = data.mean_and_deviation
    np.testing.assert_allclose(mean, (data.train_images / 255).mean((0, 2, 3)))
    np.testing.assert_allclose(deviation, (data.train_images / 255).std((0, 2, 3)), atol=1e-12)


def test_options_are_resolved_and_those_that_differ_are_in_the_label() -> None:
    data = load_images("digits", limit=100, pad=2, flip=True, cutout=3)
    assert data.label == "digits (100 images, pad=2, flip=true, cutout=3)"
    assert data.options == {"limit": 100, "pad": 2, "flip": True, "cutout": 3}
    assert (data.augmentation.pad, data.augmentation.flip, data.augmentation.cutout) == (2, True, 3)
    assert len(data.test_images) == 597
    assert load_images("digits", pad=1, cutout=0).label == "digits"


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("cifra10", {}, "unknown image set 'cifra10'; did you mean 'cifar10'"),
    ("imagenet", {}, "known: cifar10, cifar100, digits, fashion_mnist, folder"),
    ("digits", {"folder": "x"}, "unknown option of digits 'folder'"),
    ("digits", {"cutuot": 3}, "did you mean 'cutout'?"),
    ("digits", {"limit": "many"}, "option of digits 'limit'"),
    ("digits", {"limit": 9}, "limit must be from 10, one image a class, to the 1,200 training images of digits, not 9"),
    ("digits", {"limit": 1201}, "not 1201"),
    ("digits", {"pad": 8}, "pad must be 0 to 7 pixels for images whose side is 8, not 8"),
    ("digits", {"pad": -1}, "not -1"),
    ("digits", {"cutout": 9}, "cutout must be 0 to 8 pixels"),
    ("folder", {}, "option of folder 'path' has no default; give it"),
    ("folder", {"path": "x", "size": 0}, "must be 1 or more pixels, not 0"),
    ("folder", {"path": "x", "channels": 2}, "option of folder 'channels'"),
]


@pytest.mark.parametrize(("name", "options", "told"), MISTAKES, ids=lambda value: str(value)[:30])
def test_mistakes_are_told_in_one_line(name: str, options: dict[str, Any], told: str) -> None:
    assert told in line_of(lambda: load_images(name, **options))


def test_every_set_says_where_it_is_from() -> None:
    for name, cls in IMAGE_SETS.items():
        assert cls.__doc__
        assert bool(cls.citation) is (name != "folder")


@given(st.data())
def test_a_limit_is_even_over_the_classes_and_within_them(data: st.DataObject) -> None:
    labels = np.array(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=60)), dtype=np.int64)
    number = data.draw(st.integers(1, len(labels)))
    chosen = evenly(labels, number)
    assert len(chosen) == number
    assert bool((np.diff(chosen) > 0).all()), "ascending, none twice"
    there, taken = np.bincount(labels, minlength=5), np.bincount(labels[chosen], minlength=5)
    most = taken.max()
    assert all(count in (most, most - 1, whole) for count, whole in zip(taken, there, strict=True))
    for label in range(5):
        places = np.flatnonzero(np.isin(np.flatnonzero(labels == label), chosen))  # within the class
        if len(places) > 1:
            assert np.ptp(np.diff(places)) <= 1


# the data folder


def test_the_small_part_of_fashion_mnist(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_ARENA_DATA", str(data_folder))
    data = load_images("fashion_mnist")
    assert data.label == "fashion_mnist (6,000 images)"
    assert (data.train_images.shape, data.test_images.shape) == ((6000, 1, 28, 28), (1000, 1, 28, 28))
    assert "the first 6,000 training" in data.remark
    np.testing.assert_array_equal(data.train_labels[:5], [9, 0, 0, 3, 0])  # as in the published file


def test_cifar10_from_image_files(folder_with: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    members = {**made.tree_members(), "train/cat/.hidden": b"x", "README": b"x", "train/notes.txt": b"x"}
    folder_with("cifar10_images.tar.xz", made.tar(members, "xz"))
    data = load_images("cifar10")
    assert data.classes == ("cat", "dog")
    np.testing.assert_array_equal(data.train_labels, [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(data.train_images[:, 0, 0, 0], [0, 1, 2, 10, 11, 12])
    assert data.label == "cifar10 (6 images)"
    assert "JPEG" in data.remark
    monkeypatch.setattr(trees, "_decoded", lambda *_: pytest.fail("it was decoded before"))
    np.testing.assert_array_equal(load_images("cifar10").test_images, data.test_images)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_archives_of_image_files_are_named(share: float, folder_with: Callable[[str, bytes], Path]) -> None:
    whole = made.tar(made.tree_members(), "xz")
    file = folder_with("cifar10_images.tar.xz", whole[: int(share * len(whole))])
    assert line_of(lambda: load_images("cifar10")).startswith(f"{file} is truncated or damaged (")


def test_an_unreadable_file_in_an_archive(folder_with: Callable[[str, bytes], Path]) -> None:
    folder_with("cifar10_images.tar.xz", made.tar({**made.tree_members(), "test/dog/9.jpg": b"x"}, "xz"))
    assert "1 unreadable of 13 files: test/dog/9.jpg (no image)" in line_of(lambda: load_images("cifar10"))
    assert load_images("cifar10", skip_unreadable=True).remark.endswith("; 1 unreadable file is left out")


# folders of one's own


def test_a_folder_is_read_by_split_class_and_name(root: Path) -> None:
    (root / "train" / ".DS_Store").write_bytes(b"x")
    (root / "train" / "cat" / ".DS_Store").write_bytes(b"x")
    data = load_images("folder", path=str(root))
    assert data.train_images.shape == data.test_images.shape == (6, 3, 5, 6)
    np.testing.assert_array_equal(data.test_images[:, 0, 4, 5], [0, 1, 2, 10, 11, 12])
    np.testing.assert_array_equal(data.test_images[:, 2], np.full((6, 5, 6), 7))
    np.testing.assert_array_equal(data.test_labels, [0, 0, 0, 1, 1, 1])
    assert (data.classes, data.label, data.remark) == (("cat", "dog"), "folder pets", "")
    assert load_images("folder", path=str(root), limit=4).label == "folder pets (4 images)"


def test_a_folder_is_decoded_again_when_a_file_or_an_option_changes(root: Path) -> None:
    before = load_images("folder", path=str(root))
    file = root / "train" / "cat" / "0.png"
    file.write_bytes(made.picture(99))
    os.utime(file, ns=(1, 1))
    after = load_images("folder", path=str(root))
    assert (before.train_images[0, 0, 0, 0], after.train_images[0, 0, 0, 0]) == (0, 99)
    assert before.checksums != after.checksums
    assert load_images("folder", path=str(root), channels=1).train_images.shape == (6, 1, 5, 6)


def test_grey_images_have_one_channel_unless_one_has_colours_or_three_are_asked_for(tmp_path: Path) -> None:
    root = made.put_tree(tmp_path, {name: made.picture(50, mode="L") for name in made.tree_members()})
    assert load_images("folder", path=str(root)).train_images.shape == (6, 1, 5, 6)
    assert load_images("folder", path=str(root), channels=3).train_images.shape == (6, 3, 5, 6)
    (root / "test" / "dog" / "2.png").write_bytes(made.picture(50))
    data = load_images("folder", path=str(root))
    np.testing.assert_array_equal(data.train_images, np.full((6, 3, 5, 6), 50))
    assert data.test_images[5, :, 0, 0].tolist() == [50, 25, 7]


def test_images_of_different_sizes_need_a_size(root: Path) -> None:
    (root / "test" / "cat" / "1.png").write_bytes(made.picture(1, size=(12, 9)))
    line = line_of(lambda: load_images("folder", path=str(root)))
    assert "train/cat/0.png has 6 x 5 pixels, test/cat/1.png has 12 x 9; give size" in line
    data = load_images("folder", path=str(root), size=4)
    assert data.train_images.shape == (6, 3, 4, 4)
    assert data.label == "folder pets (size=4)"
    np.testing.assert_array_equal(data.test_images[:3, 0, 0, 0], [0, 1, 2])


def test_a_resized_image_keeps_its_centre_and_shape(root: Path) -> None:
    from PIL import Image

    wide = Image.new("RGB", (30, 10), (255, 0, 0))
    wide.paste((0, 0, 255), (10, 0, 20, 10))
    wide.save(root / "train" / "cat" / "0.png")
    image = load_images("folder", path=str(root), size=10).train_images[0]
    assert image[:, 0, 0].tolist() == image[:, 9, 9].tolist() == [0, 0, 255], "the left and right thirds are cut off"


def test_a_turned_photograph_is_set_upright(root: Path) -> None:
    from PIL import Image

    image, exif = Image.new("RGB", (6, 5)), Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    image.paste((255, 255, 255), (0, 0, 3, 5))
    for name in made.tree_members():
        image.save(root / name, exif=exif)
    data = load_images("folder", path=str(root))
    assert data.train_images.shape == (6, 3, 6, 5)
    assert data.train_images[0, 0, :, 0].tolist() == [255] * 3 + [0] * 3


def test_unreadable_files_are_named_and_skipped_only_if_asked(root: Path) -> None:
    whole = made.picture(3, size=(60, 50), kind="jpeg")
    spoilt = {"a.jpg": whole[:-200], "b.txt": b"hello", "c.png": made.picture(mode="I;16"), "d.png": b"", "e.png": b"x"}
    made.put_tree(root / "train" / "dog", spoilt)
    for _ in range(2):
        line = line_of(lambda: load_images("folder", path=str(root)))
        assert f"{root} has 5 unreadable of 17 files: train/dog/a.jpg (" in line
        assert "train/dog/b.txt (no image), train/dog/c.png (mode I;16, not 8 bits a channel) and 2 more; " in line
        assert line.endswith("give skip_unreadable=true")
        data = load_images("folder", path=str(root), skip_unreadable=True)
        assert len(data.train_images) == 6
        assert data.remark == "5 unreadable files are left out"


def spoil(root: Path, *removed: str) -> None:
    for name in removed:
        for file in root.glob(name):
            file.unlink()


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing in it": (lambda root: spoil(root, "*/*/*"), "has no images in train/<class>/"),
    "nothing to test on": (lambda root: spoil(root, "test/*/*"), "has no images in test/<class>/"),
    "no test": (lambda root: (root / "test").rename(root / "valid"), "has no folder test; give the folder that holds "),
    "one class": (lambda root: spoil(root, "*/dog/*"), "pets are all of one class, 'cat'; at least two are needed"),
    "a class in train alone": (lambda root: spoil(root, "test/dog/*"), "class 'dog' in train but none in test"),
    "a class in test alone": (lambda root: spoil(root, "train/cat/*"), "class 'cat' in test but none in train"),
    "a folder in a class": (lambda root: (root / "train/cat/more").mkdir(), "is a folder inside a class"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_of_another_form_is_refused(kind: str, root: Path) -> None:
    change, told = FOLDERS[kind]
    change(root)
    line = line_of(lambda: load_images("folder", path=str(root)))
    assert told in line
    assert "pets" in line


def test_a_class_of_unreadable_files_is_none(root: Path) -> None:
    for file in (root / "test" / "dog").iterdir():
        file.write_bytes(b"x")
    line = line_of(lambda: load_images("folder", path=str(root), skip_unreadable=True))
    assert "class 'dog' in train but none in test" in line


def test_a_path_that_is_none_or_a_file_is_refused(root: Path) -> None:
    assert "there is no folder" in line_of(lambda: load_images("folder", path=str(root / "none")))
    file = root / "train" / "cat" / "0.png"
    assert "is a file, not a folder; give the folder that" in line_of(lambda: load_images("folder", path=str(file)))


def test_the_digest_of_content_is_of_all_pixels_labels_and_shapes() -> None:
    data = load_images("digits")
    base = content_digest(data)
    assert content_digest(load_images("digits", pad=0)) == base
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        one = getattr(data, name).copy()
        one.flat[0] += 1
        assert content_digest(replace(data, **{name: one})) != base, name
    wide = data.train_images.reshape(-1, 1, 4, 16)
    assert content_digest(replace(data, train_images=wide)) != base


@pytest.mark.parametrize("path", ["x" * 5000, "~nobody-is-called-so/images"])
def test_a_path_that_cannot_be_looked_for_is_refused(path: str) -> None:
    line = line_of(lambda: load_images("folder", path=path))
    assert f"cannot look for {path!r}" in line
    assert "give the folder that holds train/<class>/" in line


def test_what_is_no_file_is_unreadable(root: Path) -> None:
    """A link to nothing, one to itself, and a pipe, which would be waited for without end."""
    for name in ("a.png", "b.png"):
        (root / "train" / "cat" / name).symlink_to("b.png")
    os.mkfifo(root / "train" / "cat" / "c.png")
    line = line_of(lambda: load_images("folder", path=str(root)))
    assert "3 unreadable of 15 files: train/cat/a.png (no file, or a link to none), " in line
    data = load_images("folder", path=str(root), skip_unreadable=True)
    assert data.remark == "3 unreadable files are left out"


def test_a_name_of_two_lines_is_told_in_one(root: Path) -> None:
    (root / "train" / "cat" / "two\nlines.png").write_bytes(b"x")
    assert "train/cat/two lines.png (no image)" in line_of(lambda: load_images("folder", path=str(root)))


def test_a_size_beyond_memory_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageOps.fit", fail)
    line = line_of(lambda: load_images("folder", path=str(root), size=10**6))
    assert "images of 1000000 pixels a side need more memory than there is; give a smaller size" in line
