"""What all augmentations have in common."""

from collections.abc import Mapping

import keras
from keras import ops

from ganzoo.augment.strength import Strength
from ganzoo.errors import unknown
from ganzoo.seeds import Random


class Augmentation(keras.layers.Layer):
    """Random changes of images, each image with its own: `[N, S, S, C] -> [N, S, S, C]`, float32.

    The result is differentiable, any number of times, with respect to the images. In training it is
    called as `augmentation(images, random=random)`; `augmentation(images, draws=...)` takes chosen
    parameters, one for each image, under the names of the transforms. Those that are not named then
    leave the images alone; a name that is none raises UserError.

    Args:
        strength: the probability of each transform, for each image.

    Attributes:
        DRAWS: the names that `draws` may have.
    """

    DRAWS: tuple[str, ...]

    def __init__(self, strength: Strength | None = None, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.strength = strength or Strength()
        self.built = True

    def require_size(self, size: int) -> None:
        """Raises UserError unless images of this side, in pixels, are large enough."""

    def draw(self, random: Random, images) -> dict:
        """The parameters of all transforms for these images, at the present strength."""
        raise NotImplementedError

    def transform(self, images, draws: Mapping):
        """Images changed by these parameters."""
        raise NotImplementedError

    def call(self, images, random: Random | None = None, draws: Mapping | None = None):
        if (random is None) == (draws is None):
            raise ValueError(f"{self.name} takes either random numbers or draws, and one of them")
        for name in draws or ():
            if name not in self.DRAWS:
                raise unknown(f"draw of {type(self).__name__}", name, self.DRAWS)
        return self.transform(images, self.draw(random, images) if draws is None else draws)

    def choose(self, random: Random, name: str, values, identity, probability):
        """`values` `[N, ...]` where chance says so, with this probability; else the identity."""
        shape = [values.shape[0], *[1 for _ in values.shape[1:]]]
        gates = random.uniform(f"{name}/gate", shape) < probability
        return ops.where(gates, values, ops.convert_to_tensor(identity, values.dtype))

    def compute_output_shape(self, input_shape, *args, **kwargs):
        return input_shape
