import pytest

from ganzoo.errors import unknown

MANY = [f"model.width_{i}" for i in range(30)]


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("shape", ["shapes", "mnist"], "Did you mean shapes? Known: mnist, shapes."),
        ("zebra", ["shapes"], "Unknown data set 'zebra'. Known: shapes."),
        ("width_7", MANY, "Unknown data set 'width_7'. Did you mean model.width_7?"),
        ("zebra", MANY, f"Known: {', '.join(sorted(MANY))}."),
    ],
)
def test_unknown_names_get_the_nearest_or_all(name, known, message):
    assert str(unknown("data set", name, known)).endswith(message)
