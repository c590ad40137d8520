"""The fused Adam and SGD beside those of Keras."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.errors import UserError
from ganzoo.optimizers import OPTIMIZERS, SGD, Adam, make_optimizer

ONE = tf.distribute.get_strategy()
OPTIONS = {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-8}


def descend(cls, steps=5, strategy=ONE, loss_scale=False, compiled=True, seed=0, options=OPTIONS):
    """The variables, and what the optimizer keeps, after some steps on random gradients."""
    rng = np.random.default_rng(seed)
    with strategy.scope():
        variables = [keras.Variable(rng.normal(size=shape)) for shape in [(3, 4), (4,), ()]]
        inner = cls(**options)
        optimizer = keras.optimizers.LossScaleOptimizer(inner, 4.0) if loss_scale else inner
        optimizer.build(variables)

    def apply(gradients):
        shares = [gradient / strategy.num_replicas_in_sync for gradient in gradients]
        optimizer.apply(shares, variables)

    def step(gradients):
        strategy.run(apply, (gradients,))

    step = tf.function(step, autograph=False) if compiled else step
    for _ in range(steps):
        step([tf.constant(rng.normal(size=v.shape), tf.float32) for v in variables])
    return [np.asarray(v) for v in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("loss_scale", [False, True])
def test_it_does_what_that_of_keras_does(compiled, loss_scale):
    expected = descend(keras.optimizers.Adam, loss_scale=loss_scale)
    found = descend(Adam, loss_scale=loss_scale, compiled=compiled)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss_scale", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_does_what_that_of_keras_does(nesterov, momentum, loss_scale):
    options = {"learning_rate": 0.1, "momentum": momentum, "nesterov": nesterov}
    expected, found = (
        descend(cls, options=options, loss_scale=loss_scale) for cls in (keras.optimizers.SGD, SGD)
    )
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def test_two_replicas_do_what_one_does(two_replicas):
    for left, right in zip(descend(Adam, strategy=two_replicas), descend(Adam), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def test_it_takes_over_the_state_of_that_of_keras():
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=(3, 4)))]
    optimizers = [keras.optimizers.Adam(**OPTIONS), Adam(**OPTIONS)]
    for optimizer in optimizers:
        optimizer.build(variables)
    old, new = optimizers
    old.apply([tf.ones([3, 4])], variables)
    store = {}
    old.save_own_variables(store)
    new.load_own_variables(store)
    assert [v.path.split("/")[1:] for v in old.variables] == [
        v.path.split("/")[1:] for v in new.variables
    ]
    start = variables[0].numpy()
    old.apply([tf.ones([3, 4])], variables)
    expected = variables[0].numpy()
    variables[0].assign(start)
    new.apply([tf.ones([3, 4])], variables)
    np.testing.assert_allclose(variables[0].numpy(), expected, rtol=1e-6)


def test_what_has_no_fused_form_is_left_to_keras():
    table = keras.Variable(np.ones((4, 2)))
    fused, plain = (cls(amsgrad=True, **OPTIONS) for cls in (Adam, keras.optimizers.Adam))
    for optimizer in (fused, plain):
        table.assign(np.ones((4, 2)))
        optimizer.build([table])
        optimizer.apply([tf.ones([4, 2])], [table])
        optimizer.apply([tf.IndexedSlices(tf.ones([1, 2]), tf.constant([1]), [4, 2])], [table])
        results = table.numpy()
        expected = results if optimizer is fused else expected  # noqa: F821
    np.testing.assert_allclose(results, expected, rtol=1e-6)


def test_the_optimizers_of_keras_have_their_names():
    assert type(make_optimizer("Adam", **OPTIONS)) is Adam
    assert type(make_optimizer("SGD", momentum=0.5)) is SGD
    found = make_optimizer("RMSprop", learning_rate=5e-5, rho=0.99)
    assert type(found) is keras.optimizers.RMSprop and found.rho == 0.99
    assert float(found.learning_rate) == pytest.approx(5e-5)
    assert {"SGD", "Lion", "AdamW"} < OPTIMIZERS.keys()
    assert not {"Optimizer", "LossScaleOptimizer"} & OPTIMIZERS.keys()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("RMSProp", {}, "Unknown optimizer 'RMSProp'. Did you mean RMSprop"),
        ("RMSprop", {"beta_1": 0.5}, "Unknown argument of RMSprop 'beta_1'"),
        ("SGD", {"momentun": 0.5}, "Unknown argument of SGD 'momentun'. Did you mean momentum"),
        ("SGD", {"momentum": 5.0}, "SGD cannot be made of {'momentum': 5.0}"),
    ],
)
def test_optimizers_that_cannot_be_are_told(name, arguments, words):
    with pytest.raises(UserError, match=re.escape(words)):
        make_optimizer(name, **arguments)
