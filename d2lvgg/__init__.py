"""Block-built convolutional networks: what the lessons of this course import."""

from .cifar import CIFAR10_LABELS, load_data_cifar10, load_data_image_folder
from .data import LABELS, load_data_fashion_mnist
from .devices import describe_machine, pick_scale, try_gpu
from .history import History
from .live import LiveAnimator, use_png_display
from .models import VGG_ARCHS, alexnet, lenet, shrink, vgg, vgg_block
from .shapes import trace_shapes
from .training import evaluate_accuracy, train

__all__ = [
    "CIFAR10_LABELS", "LABELS", "VGG_ARCHS", "History", "LiveAnimator", "alexnet",
    "describe_machine", "evaluate_accuracy", "lenet", "load_data_cifar10",
    "load_data_fashion_mnist", "load_data_image_folder", "pick_scale", "shrink", "trace_shapes",
    "train", "try_gpu", "use_png_display", "vgg", "vgg_block",
]
