"""Batches on the device: what augmentation does to every image, one at a time in plain loops, and how often."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.device_images import DeviceImages
from search_spaces.image_sets.base import Augmentation
from search_spaces.images import load_images

NOTHING = Augmentation(pad=0, flip=False, cutout=0)


def device_images(
    augmentation: Augmentation = NOTHING, *, count: int = 40, channels: int = 3, height: int = 6, width: int = 7
) -> DeviceImages:
    """Random images of which no pixel is black, normalised by numbers that differ a channel."""
    random = np.random.default_rng(0)
    images = random.integers(1, 256, (count, channels, height, width), dtype=np.uint8)
    mean, deviation = [0.5, 0.4, 0.3][:channels], [0.2, 0.25, 0.3][:channels]
    labels = random.integers(10, size=count)
    return DeviceImages(images, labels, mean=mean, deviation=deviation, augmentation=augmentation, device="cpu")


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_at_a_time(images: DeviceImages, indices: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """The same batch by loops over images and pixels, from the same random numbers."""
    plain, _ = images.plain(indices)
    batch, channels, height, width = plain.shape
    pad, flip, side = images.augmentation.pad, images.augmentation.flip, images.augmentation.cutout
    first = (
        torch.randint(2 * pad + 1, (2, batch), generator=random) if pad else torch.zeros(2, batch, dtype=torch.int64)
    )
    mirrored = torch.rand(batch, generator=random) < 0.5 if flip else torch.zeros(batch, dtype=torch.bool)
    row = torch.randint(height, (batch,), generator=random) if side else None
    column = torch.randint(width, (batch,), generator=random) if side else None
    black = -torch.tensor([0.5, 0.4, 0.3][:channels]) / torch.tensor([0.2, 0.25, 0.3][:channels])
    expected = torch.empty_like(plain)
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                y, x = i + int(first[0, b]) - pad, (width - 1 - j if mirrored[b] else j) + int(first[1, b]) - pad
                expected[b, :, i, j] = plain[b, :, y, x] if 0 <= y < height and 0 <= x < width else black
                if row is not None and column is not None:
                    top, left = int(row[b]) - side // 2, int(column[b]) - side // 2
                    if top <= i < top + side and left <= j < left + side:
                        expected[b, :, i, j] = 0
    return expected


@settings(max_examples=25)
@given(
    st.builds(Augmentation, pad=st.integers(0, 5), flip=st.booleans(), cutout=st.integers(0, 6)),
    st.sampled_from([1, 3]),
    st.integers(0, 1000),
)
def test_a_batch_is_what_loops_over_images_and_pixels_make(
    augmentation: Augmentation, channels: int, seed: int
) -> None:
    images = device_images(augmentation, channels=channels)
    indices = torch.tensor([3, 0, 39, 3])
    found, labels = images.augmented(indices, generator(seed))
    torch.testing.assert_close(found, one_at_a_time(images, indices, generator(seed)), rtol=0, atol=1e-6)
    assert torch.equal(labels, images.labels[indices])


def test_without_augmentation_a_batch_is_the_plain_one_bit_for_bit() -> None:
    images, indices = device_images(), torch.randperm(40, generator=generator())
    random = generator()
    found, labels = images.augmented(indices, random)
    plain, plain_labels = images.plain(indices)
    assert torch.equal(found, plain)
    assert torch.equal(labels, plain_labels)
    assert torch.equal(random.get_state(), generator().get_state()), "nothing was drawn"


def test_every_place_of_the_cut_is_reached_and_about_as_often() -> None:
    images = device_images(Augmentation(pad=2, flip=False, cutout=0), count=1, channels=1)
    pixels = torch.arange(1, 43, dtype=torch.uint8).view(1, 6, 7, 1)  # all different: the middle one tells the offsets
    images._images = pixels
    found, _ = images.augmented(torch.zeros(5000, dtype=torch.int64), generator())
    middle = torch.round(found[:, 0, 3, 3] * 0.2 * 255 + 0.5 * 255).to(torch.int64)
    expected = {int(pixels[0, 3 + dy, 3 + dx, 0]) for dy in range(-2, 3) for dx in range(-2, 3)}
    values, counts = middle.unique(return_counts=True)
    assert set(values.tolist()) == expected
    chi_squared = float(((counts - 200.0) ** 2 / 200).sum())
    assert chi_squared < 51.2, "24 degrees of freedom: exceeded once in a thousand"


def test_about_half_of_the_images_are_mirrored_and_the_others_as_they_were() -> None:
    images = device_images(Augmentation(pad=0, flip=True, cutout=0))
    indices = torch.arange(40).repeat(50)
    found, _ = images.augmented(indices, generator())
    plain, _ = images.plain(indices)
    same, mirrored = ((found == other).flatten(1).all(1) for other in (plain, plain.flip(3)))
    assert bool((same ^ mirrored).all())
    assert abs(int(mirrored.sum()) - 1000) < 3.3 * 500**0.5


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_a_square_of_means_is_cut_out_whole_unless_it_sticks_out(side: int) -> None:
    images = device_images(Augmentation(pad=0, flip=False, cutout=side))
    indices = torch.arange(40).repeat(50)
    found, _ = images.augmented(indices, generator())
    plain, _ = images.plain(indices)
    changed = (found != plain).any(1)
    assert bool((found.permute(0, 2, 3, 1)[changed] == 0).all())
    areas = changed.flatten(1).sum(1)
    assert int(areas.max()) == side**2
    smallest = 1 if side == 1 else (side - side // 2) ** 2 if side % 2 == 0 else (side // 2 + 1) ** 2
    assert int(areas.min()) == smallest, "at a corner"
    assert bool(changed.any(0).all()), "every pixel is hidden at times"


def test_the_generator_alone_decides() -> None:
    images = device_images(Augmentation(pad=2, flip=True, cutout=2))
    indices = torch.arange(40)
    torch.manual_seed(1)
    first, _ = images.augmented(indices, generator())
    torch.manual_seed(2)
    again, _ = images.augmented(indices, generator())
    other, _ = images.augmented(indices, generator(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_batches_lie_in_memory_channels_last_by_their_strides(channels: int, augmented: bool) -> None:
    images = device_images(Augmentation(pad=1, flip=True, cutout=2), channels=channels)
    indices = torch.arange(8)
    batch, _ = images.augmented(indices, generator()) if augmented else images.plain(indices)
    assert batch.dtype == torch.float32
    assert batch.shape == (8, channels, 6, 7)
    assert batch.stride() == (42 * channels, 1, 7 * channels, channels)
    convolution = torch.nn.Conv2d(channels, 4, 3).to(memory_format=torch.channels_last)
    assert convolution(batch).is_contiguous(memory_format=torch.channels_last), "torch takes them for channels last"


def test_normalised_training_images_have_mean_0_and_deviation_1() -> None:
    data = load_images("digits")
    images = DeviceImages.of_data(data, "train", "cpu")
    batch, labels = images.plain(torch.arange(len(images)))
    assert len(images) == 1200
    assert float(batch.mean()) == pytest.approx(0, abs=1e-5)
    assert float(batch.std(correction=0)) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(labels.numpy(), data.train_labels)
    mean, deviation = data.mean_and_deviation
    test, _ = DeviceImages.of_data(data, "test", "cpu").plain(torch.arange(597))
    expected = (data.test_images / 255 - mean[:, None, None]) / deviation[:, None, None]
    np.testing.assert_allclose(test.numpy(), expected, atol=1e-5)


def test_a_channel_of_one_shade_is_zero() -> None:
    grey = np.full((4, 1, 5, 5), 51, dtype=np.uint8)
    images = DeviceImages(grey, [0, 1, 0, 1], mean=[0.2], deviation=[0.0], augmentation=NOTHING, device="cpu")
    assert float(images.plain(torch.arange(4))[0].abs().max()) < 1e-6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_plain_batches_are_the_same_and_augmented_ones_follow_its_generator() -> None:
    data = load_images("digits")
    there, here = (DeviceImages.of_data(data, "train", device) for device in ("cuda", "cpu"))
    indices = torch.arange(64)
    assert torch.equal(there.plain(indices.cuda())[0].cpu(), here.plain(indices)[0])
    first, again = (there.augmented(indices.cuda(), torch.Generator("cuda").manual_seed(1))[0].cpu() for _ in range(2))
    assert torch.equal(first, again)
