"""One form for the images that people have: upright, 8 bits, sRGB, and what to show for nothing."""

import functools
import io
import warnings
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image, ImageCms

from ganzoo.errors import UserError

_TURN = Image.Transpose
_TURNS = {  # by the orientation in EXIF
    2: _TURN.FLIP_LEFT_RIGHT,
    3: _TURN.ROTATE_180,
    4: _TURN.FLIP_TOP_BOTTOM,
    5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270,
    7: _TURN.TRANSVERSE,
    8: _TURN.ROTATE_90,
}
_EXIF = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")  # where Pillow looks for it


def normalized(image: Image.Image, tell: Callable[[str], None] = warnings.warn) -> Image.Image:
    """An image of any mode, upright by its EXIF, in 8 bits and sRGB.

    Args:
        image: stays as it is.
        tell: called with each thing that is odd about it, in words.

    Raises:
        UserError: for pixels that have no fixed range.
    """
    notices = oddities(image)
    image = _in_srgb(upright(eight_bit(image)), notices)
    for notice in notices:
        tell(notice)
    return image


def oddities(image: Image.Image) -> list[str]:
    """In words, what of an opened image does not become part of 8 bits in one picture."""
    frames, deep = getattr(image, "n_frames", 1), ";16" in str(getattr(image, "tile", ""))
    found = [f"{frames} frames, one is used"] if frames > 1 else []
    return [*found, "16 bits, reduced to 8"] if deep or image.mode.startswith("I") else found


def upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says; as it is where EXIF is damaged, since the pixels may be whole."""
    image.load()  # turns TIFF
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # it raises nearly everything on broken EXIF
        return image
    if orientation not in _TURNS:
        return image
    image = image.transpose(_TURNS[orientation])
    image.info = {key: value for key, value in image.info.items() if key not in _EXIF}
    return image


def eight_bit(image: Image.Image) -> Image.Image:
    """Scales 16-bit grey, which `convert` would clip at 255; what is transparent stays so.

    Raises:
        UserError: for pixels of 32 bits, which have no fixed range, and for values that use less
            than a sixteenth of 16 bits, such as those of 12 bits, which would be nearly black.
    """
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise UserError("32-bit pixels have no fixed range; convert the image to 8 bits")
    most = (1 << _bits(image)) - 1
    if 0 < values.max() < 4096 <= most:
        raise UserError(
            f"grey values up to {values.max():,} would be nearly black in a range of 0 to {most:,};"
            " scale them to it, or convert the image to 8 bits"
        )
    grey = Image.fromarray(((values.astype(np.int64) * 255 + most // 2) // most).astype(np.uint8))
    transparent = image.info.get("transparency")
    if transparent is not None:
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    grey.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return grey


def _bits(image: Image.Image) -> int:
    """Of grey values: 16, unless a TIFF says that it has fewer."""
    bits = getattr(image, "tag_v2", {}).get(258, (16,))  # BitsPerSample
    return min(16, bits[0])


@functools.cache
def _srgb() -> bytes:
    """The profile of sRGB; without the time that it was made at, so that files are the same."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]


def _in_srgb(image: Image.Image, notices: list[str]) -> Image.Image:
    """Colors of another profile as sRGB has them, which networks are trained on."""
    if not image.info.get("icc_profile"):
        return image
    spaces = {"CMYK": "CMYK"} if image.mode == "CMYK" else {"RGB ": "RGB", "GRAY": "L"}
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return image
        colors = image.convert(spaces[profile.profile.xcolor_space])
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(colors, profile, srgb, outputMode="RGB")
    except (OSError, KeyError, ImageCms.PyCMSError) as error:
        notices.append(f"its color profile cannot be used ({error}), and is kept as it is")
        return image
    if image.has_transparency_data:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    converted.info = {"icc_profile": _srgb()}
    return converted


def visible_colors(image: Image.Image) -> Image.Image:
    """RGB of an RGBA image, where what is fully transparent continues the colors beside it.

    The pull-push algorithm: Gortler et al. 1996, The Lumigraph, section 3.4.
    """
    visible = image.getchannel("A").point(lambda value: 255 * (value > 0))
    colors = image.convert("RGB")
    if visible.getextrema()[0] == 255:
        return colors
    if max(image.size) == 1:
        return Image.new("RGB", image.size)
    masked = colors.copy()
    masked.putalpha(visible)
    coarse = visible_colors(masked.reduce(2))  # which weighs colors by alpha
    return Image.composite(colors, coarse.resize(image.size, Image.Resampling.BILINEAR), visible)


def is_transparent(image: Image.Image) -> bool:
    """Whether anything of an image is not opaque."""
    if not image.has_transparency_data:
        return False
    return image.convert("RGBA").getchannel("A").getextrema()[0] < 255


def flatten(image: Image.Image, background: int = 255) -> Image.Image:
    """Lays what is transparent over a grey of 0 to 255, white by default."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (background,) * 3 + (255,)), image)
