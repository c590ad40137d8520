"""Image data sets of TensorFlow Datasets, by name; their images stay encoded until prepared."""

import functools
import io
import itertools
import json
from collections.abc import Iterator

import numpy as np

from ganzoo.data.collection import Item
from ganzoo.errors import UserError, unknown

_RETRIES = 5  # TFDS' own ten take more than three minutes to notice that there is no network


class TFDSCollection:
    """One split of a prepared TFDS data set."""

    notices = ()

    def __init__(self, name: str, builder, split: str, labels: bool, data_dir: str | None):
        self.name = name
        self.flags = (f"--dataset={name}", f"--split={split}")
        self.flags += ((f"--data_dir={data_dir}",) if data_dir else ()) + ("--labels",) * labels
        self._builder, self._split = builder, split
        self._image_key = _image_key(name, builder.info.features)
        self._label_key = _label_key(name, builder.info.features) if labels else None
        shape = builder.info.features[self._image_key].shape
        self.native_shape = None if None in shape else shape
        classes = builder.info.features[self._label_key].names if labels else ()
        self.class_names = tuple(classes)
        self._info = _split_info(name, builder, split)

    def __len__(self) -> int:
        return self._info.num_examples

    def __iter__(self) -> Iterator[Item]:
        for i, example in enumerate(self._examples()):
            data = example[self._image_key]
            label = int(example[self._label_key]) if self._label_key else 0
            open_item = functools.partial(io.BytesIO, data)
            yield Item(f"{self._split} example {i}", label, len(data), open_item)

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

        skip = {self._image_key: tfds.decode.SkipDecoding()}
        wanted = {key: True for key in (self._image_key, self._label_key) if key}
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


def open_tfds(name: str, data_dir: str | None, split: str, labels: bool) -> TFDSCollection:
    """A data set of TFDS, downloaded and prepared in `data_dir` unless it is there."""
    builder = _builder(name, data_dir)
    if not builder.is_prepared():
        _image_key(name, builder.info.features)  # before a long download
        _download(name, builder)
    return TFDSCollection(name, builder, split, labels, data_dir)


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


def _image_key(name: str, features) -> str:
    import tensorflow_datasets as tfds

    # "hr" is the original of a super-resolution set, beside its reductions.
    key = _only(features, tfds.features.Image, "image", "hr")
    if key is None:
        raise UserError(f"{name} is not a data set of single images. Its features: {features}")
    if features[key].np_dtype not in (np.uint8, np.uint16):
        raise UserError(f"{name} stores {features[key].np_dtype} images, expected uint8 or uint16.")
    return key


def _label_key(name: str, features) -> str:
    import tensorflow_datasets as tfds

    key = _only(features, tfds.features.ClassLabel, "label")
    if key is None:
        raise UserError(f"{name} has no single class label; set labels to False. Has: {features}")
    return key


def _only(features, kind: type, *preferred: str) -> str | None:
    """The feature of a kind: the one with a usual name, or the one there is."""
    if not hasattr(features, "items"):
        return None
    found = [key for key, feature in features.items() if isinstance(feature, kind)]
    usual = [key for key in preferred if key in found]
    return (usual or found)[0] if usual or len(found) == 1 else None


def _split_info(name: str, builder, split: str):
    try:
        return builder.info.splits[split]
    except (KeyError, ValueError) as error:
        raise unknown(f"split of {name}", split, builder.info.splits) from error
