"""What is drawn where CIFAR-10 cannot be had."""

import numpy as np

from d2lvgg.exercises import of_lesson

draw_images = of_lesson("14", "drawn").draw_images


def test_drawn_images_are_ten_classes_that_can_be_told_apart():
    images, labels = draw_images(400, seed=0)
    assert (images.shape, images.dtype) == ((400, 3, 32, 32), np.uint8)
    assert np.bincount(labels).tolist() == [40] * 10
    assert np.array_equal(images, draw_images(400, seed=0)[0])
    assert not np.array_equal(images, draw_images(400, seed=1)[0])
    means = np.stack([images[labels == k][:20].mean(0).ravel() for k in range(10)])
    rest = np.concatenate([images[labels == k][20:] for k in range(10)]).reshape(200, -1)
    nearest = ((rest[:, None].astype(float) - means) ** 2).sum(-1).argmin(1)
    right = nearest == np.repeat(np.arange(10), 20)
    assert 0.3 < right.mean() < 0.9  # blindly: 0.1; and something is left for a network to learn
