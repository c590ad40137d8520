"""Image data sets of TensorFlow Datasets, by name; their images stay encoded until prepared."""

import functools
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganzoo.data.sources import Column, Item
from ganzoo.data.tables import COLUMNS, flags_of
from ganzoo.errors import UserError, unknown

_EXPECTED = {
    "label": "single class label; set labels to False",
    "attributes": "group of attributes, true or false",
    "caption": "single feature of captions, text",
    "embedding": "embeddings: they are read from files beside images of your own",
    "mask": "masks: they are read from files beside images of your own, or those of shapes",
}
_RETRIES = 5  # TFDS' own ten take more than three minutes to notice that there is no network


class TFDSCollection:
    """One split of a TFDS data set, downloaded and prepared unless it is there.

    Args:
        name: of the data set.
        data_dir: where it is, None for the usual place.
        split: one of its splits.
        columns: what each example has besides an image, keys of `COLUMNS`.
        pairs: whether it has two images, or one that holds both.
    """

    notices = ()

    def __init__(
        self,
        name: str,
        data_dir: str | None,
        split: str,
        columns: Sequence[str] = (),
        pairs: bool = False,
    ):
        self.name, self._split, self._builder = name, split, _builder(name, data_dir)
        self.flags = (f"--dataset={name}", f"--split={split}")
        self.flags += (f"--data_dir={data_dir}",) if data_dir else ()
        self.flags += flags_of(columns) + ("--paired",) * pairs
        features = self._builder.info.features
        self._image_keys = _image_keys(name, features, pairs)
        self._keys = {column: _key(name, features, column) for column in columns}
        if not self._builder.is_prepared():
            _download(name, self._builder)
        shape = features[self._image_keys[0]].shape
        self.native_shape = None if None in shape else shape
        self.columns = {"label": Column((), "class")}
        self.columns |= {c: _column(c, features[key]) for c, key in self._keys.items()}
        self._info = _split_info(name, self._builder, split)

    def __len__(self) -> int:
        return self._info.num_examples

    def __iter__(self) -> Iterator[Item]:
        for i, example in enumerate(self._examples()):
            data = [example[key] for key in self._image_keys]
            *partner, item = (
                Item(f"{self._split} example {i}", len(d), functools.partial(io.BytesIO, d))
                for d in reversed(data)
            )
            values = {column: self._value(column, example[k]) for column, k in self._keys.items()}
            yield item._replace(values=values, partner=partner[0] if partner else None)

    def _value(self, column: str, value: Any) -> Any:
        if column == "attributes":
            return tuple(int(value[name]) for name in self.columns[column].names)
        if column == "caption":
            texts = value["text"] if isinstance(value, dict) else value
            return [text.decode() for text in np.ravel(texts)]
        return int(value)

    def _examples(self) -> Iterator[dict]:
        import tensorflow as tf

        try:
            yield from self._encoded().as_numpy_iterator()
        except tf.errors.OpError as error:
            raise UserError(
                f"The files of {self.name} in {self._builder.data_dir} are damaged:"
                f" {error.message.splitlines()[0]}\nCopy or prepare them again."
            ) from error

    def _encoded(self):
        import tensorflow_datasets as tfds

        skip = {key: tfds.decode.SkipDecoding() for key in self._image_keys}
        wanted = dict.fromkeys((*self._image_keys, *self._keys.values()), True)
        return self._builder.as_dataset(
            split=self._split,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(wanted, decoders=skip),
            read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        )

    def sample(self, count: int) -> list[Item]:
        return list(itertools.islice(self, count))

    def identity(self) -> str:
        files = [(p.name, p.stat().length, p.stat().mtime) for p in self._info.filepaths]
        return json.dumps([self._builder.info.full_name, self._split, *map(str, files)])


def _builder(name: str, data_dir: str | None):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        raise unknown("data set", name, [*known, "shapes"]) from error
    except (ValueError, KeyError) as error:  # not a name, or an unknown config or version
        raise UserError(
            f"{name!r} is neither shapes, folder:PATH, zip:PATH, nor an image data set that TFDS "
            f"can make: {error}"
        ) from error


def _download(name: str, builder) -> None:
    from tensorflow_datasets.core.download import downloader

    downloader.MAX_RETRIES = _RETRIES
    try:
        builder.download_and_prepare()
    except Exception as error:  # network, disk, checksum, a file to fetch by hand: all end here
        raise UserError(
            f"{name} is not in {builder.data_dir} and could not be downloaded: {error}\n"
            "Without a network, give the folder of a prepared copy (--data_dir=DIR), your own "
            "images (--dataset=folder:PATH), or the bundled data set (--dataset=shapes)."
        ) from error


def _image_keys(name: str, features, pairs: bool) -> list[str]:
    """The feature that is an image; of a pair the two, or the one that holds both."""
    import tensorflow_datasets as tfds

    found = _of_kind(features, tfds.features.Image)
    if not (pairs and len(found) == 2):
        # "hr" is the original of a super-resolution set, beside its reductions.
        key = _only(found, "image", "hr")
        if key is None:
            kind = "pairs of images" if pairs else "single images"
            raise UserError(f"{name} is not a data set of {kind}. Its features: {features}")
        found = [key]
    for kind in (features[key].np_dtype for key in found):
        if kind not in (np.uint8, np.uint16):
            raise UserError(f"{name} stores {kind} images, expected uint8 or uint16.")
    return sorted(found)


def _key(name: str, features, column: str) -> str:
    """The feature that has the values of a column."""
    found = [key for key, feature in features.items() if _holds(feature, column)]
    key = _only(found, column, COLUMNS[column])
    if key is None:
        raise UserError(f"{name} has no {_EXPECTED[column]}. Has: {features}")
    return key


def _holds(feature, column: str) -> bool:
    import tensorflow_datasets as tfds

    if column == "label":
        return isinstance(feature, tfds.features.ClassLabel)
    if column == "attributes":
        group = isinstance(feature, tfds.features.FeaturesDict)
        return group and all(f.np_dtype == np.bool_ for f in feature.values())
    inner = getattr(feature, "feature", feature)  # of a sequence
    if isinstance(inner, tfds.features.FeaturesDict) and "text" in inner:
        inner = inner["text"]
    return column == "caption" and isinstance(inner, tfds.features.Text)


def _column(column: str, feature) -> Column:
    if column == "attributes":
        names = tuple(sorted(feature.keys()))
        return Column((len(names),), "attributes", names)
    return Column((), "text") if column == "caption" else Column((), "class", tuple(feature.names))


def _of_kind(features, kind: type) -> list[str]:
    items = features.items() if hasattr(features, "items") else ()
    return [key for key, feature in items if isinstance(feature, kind)]


def _only(found: list[str], *preferred: str) -> str | None:
    """The feature with a usual name, or the one there is."""
    usual = [key for key in preferred if key in found]
    return (usual or found)[0] if usual or len(found) == 1 else None


def _split_info(name: str, builder, split: str):
    try:
        return builder.info.splits[split]
    except (KeyError, ValueError) as error:
        raise unknown(f"split of {name}", split, builder.info.splits) from error
