"""How much images of a batch differ, as a feature map."""

import keras
from keras import ops


class MinibatchStddev(keras.layers.Layer):
    """Appends a channel that holds the mean standard deviation within a group of images.

    Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 3. `[N, H, W, C] -> [N, H, W,
    C + 1]`. A group's members lie N / group apart: of 8 images in groups of 4, the even ones are
    one and the odd ones the other.

    Args:
        group: images in a group; all of the batch where it is smaller.

    Raises:
        ValueError: for a batch that does not consist of whole groups.
    """

    def __init__(self, group: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.group = group

    def call(self, x):
        count, height, width, channels = x.shape
        group = min(self.group, count)
        if count % group:
            raise ValueError(
                f"{count} images per replica do not make groups of {group}: change"
                " config.batch_size or config.model.minibatch_stddev_group"
            )
        members = ops.reshape(ops.cast(x, "float32"), (group, -1, height, width, channels))
        stddev = ops.sqrt(ops.var(members, axis=0) + 1e-8)
        mean = ops.mean(stddev, axis=(1, 2, 3))  # [N / group]
        feature = ops.reshape(ops.tile(mean, [group]), (count, 1, 1, 1))
        feature = ops.cast(feature, x.dtype) * ops.ones((1, height, width, 1), x.dtype)
        return ops.concatenate([x, feature], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)
