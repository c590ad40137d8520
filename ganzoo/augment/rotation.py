"""The rotation task of self-supervised GANs.

Chen et al. 2019, https://arxiv.org/abs/1811.11212, section 3.

A label r stands for a turn by r * 90 degrees counterclockwise. Images are square, `[N, S, S, C]`.
Batches are in random order, so which image is turned how often does not matter. Here it goes by its
number modulo 4: that is the same for a batch and for its parts on several replicas.
"""

from keras import ops

from ganzoo.augment.augmentation import Augmentation
from ganzoo.errors import UserError

NUM_ROTATIONS = 4


def rotate90(images, turns: int):
    """Turns images `[N, S, S, C]` counterclockwise by `turns` quarter turns, 0 to 3; same shape."""
    if turns == 0:
        return images
    if turns == 2:
        return ops.flip(ops.flip(images, axis=1), axis=2)
    return ops.flip(ops.transpose(images, (0, 2, 1, 3)), axis=1 if turns == 1 else 2)


def rotation_batch_quarter(images):
    """Every fourth image in all four rotations, as many as google/compare_gan takes.

    Returns:
        images `[4n, S, S, C]` with n = N // 4, and their labels `[4n]`: n zeros, n ones, n twos,
        n threes.
    """
    count = images.shape[0] // NUM_ROTATIONS
    if not count:
        raise UserError(
            f"A quarter of {images.shape[0]} images per replica is none: give the rotation batch"
            f" 'quarter' at least {NUM_ROTATIONS} images per replica, or take 'split'."
        )
    quarter = images[NUM_ROTATIONS - 1 :: NUM_ROTATIONS]
    rotated = [rotate90(quarter, turns) for turns in range(NUM_ROTATIONS)]
    labels = ops.repeat(ops.arange(NUM_ROTATIONS, dtype="int32"), count)
    return ops.concatenate(rotated, axis=0), labels


def rotation_batch_split(images):
    """The whole batch, each image once: a quarter in each rotation, as kwotsin/mimicry has it.

    Returns:
        images `[N, S, S, C]`, those not turned first, and their labels `[N]`.
    """
    parts = [images[turns::NUM_ROTATIONS] for turns in range(NUM_ROTATIONS)]
    rotated = [rotate90(part, turns) for turns, part in enumerate(parts)]
    labels = [turns for turns, part in enumerate(parts) for _ in range(part.shape[0])]
    return ops.concatenate(rotated, axis=0), ops.convert_to_tensor(labels, dtype="int32")


ROTATION_BATCHES = {"quarter": rotation_batch_quarter, "split": rotation_batch_split}


class Rotation(Augmentation):
    """Quarter turns, the transform of the rotation task: square images `[N, S, S, C]`.

    Unlike `rotate90` of `AugmentPipe`, pixels are moved and never filtered. `draws` take
    `rotate90`, `[N]`, 0 to 3.
    """

    DRAWS = ("rotate90",)

    def draw(self, random, images):
        turns = random.integers("rotate90", [images.shape[0]], NUM_ROTATIONS)
        present = ops.convert_to_tensor(self.strength.value)
        return {"rotate90": self.choose(random, "rotate90", turns, 0, present)}

    def transform(self, images, draws):
        images = ops.convert_to_tensor(images, "float32")
        if "rotate90" not in draws:
            return images
        chosen = ops.one_hot(ops.cast(draws["rotate90"], "int32"), NUM_ROTATIONS)
        turned = [rotate90(images, turns) for turns in range(NUM_ROTATIONS)]
        return sum(
            ops.reshape(chosen[:, turns], (-1, 1, 1, 1)) * turned[turns]
            for turns in range(NUM_ROTATIONS)
        )
