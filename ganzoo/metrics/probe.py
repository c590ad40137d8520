"""How well a linear classifier recognizes classes by features learned without labels."""

DECAY, MOST_STEPS = 1e-4, 1000


def probe_accuracy(features, labels, test_features, test_labels) -> float:
    """The accuracy of multinomial logistic regression: Chen et al. 2019, section 4.4.

    https://arxiv.org/abs/1811.11212

    Features are standardized by the training set; the mean cross entropy with 1e-4 of the squared
    weights is minimized by L-BFGS over the whole set. No random number is drawn.

    Args:
        features: of the training set, `[N, D]`.
        labels: its classes, `[N]`, from 0 on, at least two.
        test_features: `[M, D]`.
        test_labels: `[M]`.

    Returns:
        the share of the test set whose class is recognized, 0 to 1.
    """
    from sklearn.linear_model import LogisticRegression  # takes a second
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=0.5 / (DECAY * len(features)), max_iter=MOST_STEPS)
    classifier = make_pipeline(StandardScaler(), regression).fit(features, labels)
    return float(classifier.score(test_features, test_labels))
