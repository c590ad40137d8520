"""Look at every file of a data set before training on it."""

import os

from ganzoo.data import shapes, solid2striped
from ganzoo.data.catalog import find_collection
from ganzoo.data.decode import MIN_SIDE, Preparation
from ganzoo.data.pairs import TFDS_PAIRS, find_domains
from ganzoo.data.scan import Report, scan

_DRAWN = {
    "shapes": shapes.COUNT,
    "solid2striped": 2 * solid2striped.COUNT + solid2striped.TEST_COUNT,
}


def check(
    dataset: str,
    *,
    image_size: int | None = None,
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    fit: str = "crop",
    progress: bool = True,
) -> Report:
    """Decode every image of a data set, keep none, and report what is bad or odd.

    Bad is what cannot be read to its end, what is smaller than 8 px or a quarter of `image_size`
    on a side, what has too many pixels or none of a fixed range, and, with `labels`, what has no
    class. Where images keep their sizes (`fit="keep"`, as for SRGAN), the whole `image_size` is
    needed. Odd, but used: several frames, 16 bits, and, where squares are cut out, a side more
    than four times the other. Files that neither are images nor are named so are odd as well, and
    not used.
    """
    if dataset in _DRAWN:
        return Report(dataset, _DRAWN[dataset], _DRAWN[dataset])
    kind = dataset.partition(":")[0]
    if kind == "unpaired" or dataset in TFDS_PAIRS:
        collections = find_domains(dataset, data_dir, split)
    else:
        collections = [find_collection(dataset, data_dir, split, labels)]
    preparation = Preparation(image_size or MIN_SIDE, 3, fit=fit)
    report = Report(dataset, sum(map(len, collections)))
    for collection in collections:
        found = Report(collection.name, len(collection))
        for _ in scan(collection, preparation, found, progress):
            pass
        side = f"{os.path.basename(collection.name)}/" if kind == "unpaired" else ""
        report.problems += [p._replace(path=side + p.path) for p in found.problems]
        report.usable += found.usable
        report.class_names = collection.class_names
    return report
