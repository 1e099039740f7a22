"""An image is posted as its picture, and as nothing else."""

from __future__ import annotations

import io
import zlib

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from actors.media.images import prepare_image
from actors.media.workshop import PreparedImage, Workshop
from runtime.errors import Rejected
from tests.media.pictures import SECRET, make_picture, write_picture, write_with_metadata

KINDS = ("JPEG", "PNG", "WEBP", "GIF")


def open_image(prepared: PreparedImage) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.content))
    image.load()
    assert image.size == (prepared.width, prepared.height)
    assert Image.MIME[str(image.format)] == prepared.mime
    return image


def refuse(content: bytes, most_bytes: int = 2_000_000) -> str:
    with pytest.raises(Rejected) as caught:
        prepare_image(content, most_bytes)
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_is_gone(kind: str) -> None:
    """Where a picture was taken, with what and by whom is nobody's business."""
    content = write_with_metadata(kind)
    assert SECRET in content or kind == "PNG"
    prepared = prepare_image(content)
    assert SECRET not in prepared.content
    image = open_image(prepared)
    if kind == "WEBP":
        assert prepared.content[12:16] == b"VP8X"
        assert not prepared.content[20] & 0x0C  # nor does it say that there is any
    assert not image.getexif()
    assert not {"comment", "xmp", "exif", "XML:com.adobe.xmp", "Comment"} & set(image.info)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_picture_is_not_touched(kind: str) -> None:
    """Taking out the metadata changes no pixel and loses no colour profile."""
    content = write_with_metadata(kind)
    with Image.open(io.BytesIO(content)) as before:
        assert open_image(prepare_image(content)).tobytes() == before.tobytes()
    plain = write_picture(kind, icc_profile=b"profile of colours")
    assert open_image(prepare_image(plain)).info["icc_profile"] == b"profile of colours"
    assert prepare_image(plain).content == plain


def test_what_follows_the_picture_is_gone() -> None:
    """Telephones put a second picture, or a film, behind the first."""
    content = write_picture("JPEG", progressive=True)
    assert prepare_image(content + write_with_metadata("JPEG")).content == content
    content = write_picture("PNG")
    assert prepare_image(content + SECRET).content == content


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_picture_stays_upright(kind: str) -> None:
    """If only the metadata says which way is up, the picture is turned instead."""
    prepared = prepare_image(write_with_metadata(kind, orientation=6))
    assert (prepared.width, prepared.height) == (40, 60)
    image = open_image(prepared).convert("RGB")
    assert not image.getexif()
    red, blue = image.getpixel((20, 5)), image.getpixel((20, 55))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]


def test_a_gif_becomes_its_first_picture() -> None:
    """Bluesky shows no other."""
    frames = [make_picture(), Image.new("RGB", (60, 40), "green")]
    content = write_picture("GIF", frames[0], save_all=True, append_images=frames[1:])
    prepared = prepare_image(content)
    assert prepared.mime == "image/png"
    assert open_image(prepared).convert("RGB").tobytes() == frames[0].tobytes()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGBA")])
def test_what_is_over_the_limit_is_made_smaller(kind: str, mode: str) -> None:
    """As little as will do, with the same proportions."""
    picture = make_picture(900, 600, mode=mode, noisy=True)
    content = write_picture(kind, picture, lossless=True)
    assert len(content) > 500_000
    prepared = prepare_image(content, 200_000)
    assert 50_000 < len(prepared.content) <= 200_000
    open_image(prepared)
    assert prepared.width / prepared.height == pytest.approx(1.5, rel=0.01)
    assert prepare_image(content, 200_000) == prepared


def test_a_side_has_at_most_4000_pixels() -> None:
    """However few bytes it has."""
    prepared = prepare_image(write_picture("PNG", make_picture(5000, 1000)))
    assert (prepared.width, prepared.height) == (4000, 800)
    assert prepared.mime == "image/png"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BM" + bytes(60),
     b"\0\0\0\x18ftypmp42", b"II*\0" + bytes(60), b"RIFF\0\0\0\0WAVE"],
)  # fmt: skip
def test_what_is_no_image_is_refused(content: bytes) -> None:
    """By its first bytes, whatever it is called."""
    assert refuse(content) == "type"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_broken_is_refused(kind: str) -> None:
    """Cut off anywhere, or a beginning without an image."""
    content = write_picture(kind, make_picture(noisy=True))
    for length in (12, 14, 20, len(content) // 4, len(content) // 2):
        assert refuse(content[:length]) in ("broken", "type")
    assert refuse(content[:12] + bytes(100)) == "broken"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """64 million pixels in a small file, and 900 million, at which Pillow itself gives up."""
    content = bytearray(write_picture("PNG", Image.new("1", (10, 10))))
    for side in (8_000, 30_000):
        header = b"IHDR" + side.to_bytes(4) * 2 + content[24:29]
        content[12:33] = header + zlib.crc32(header).to_bytes(4)
        assert refuse(bytes(content)) == "size"


async def test_the_work_is_done_beside_everything_else() -> None:
    """One picture at a time, and nobody who is cancelled waits for it."""
    workshop = Workshop()
    content = write_picture("PNG", make_picture(1500, 1500, noisy=True))
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await trio.sleep(0.005)
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        with trio.move_on_after(0.02) as scope:
            await workshop.prepare(content, 100_000)
        assert scope.cancelled_caught
        prepared = await workshop.prepare(content, 100_000)
        nursery.cancel_scope.cancel()
    assert len(prepared.content) <= 100_000
    assert ticks >= 5


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    changes=st.dictionaries(st.integers(0, 2000), st.integers(0, 255), max_size=12),
    length=st.integers(0, 3000),
)
def test_nothing_that_is_sent_as_an_image_is_a_crash(
    kind: str, changes: dict[int, int], length: int
) -> None:
    """It becomes an image, or is refused."""
    content = bytearray(write_with_metadata(kind))
    for place, value in changes.items():
        content[place % len(content)] = value
    try:
        prepared = prepare_image(bytes(content[: length or None]))
    except Rejected:
        return
    open_image(prepared)
