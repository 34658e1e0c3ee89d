"""Block-built convolutional networks: what the lessons of this course import.

    models      vgg_block, vgg, VGG_ARCHS, shrink; alexnet and lenet, which VGG grew out of
    shapes      trace_shapes: what each layer does to an image, without running the network
    data        load_data_fashion_mnist, LABELS, and the loader that every data set here has
    cifar10     load_data_cifar10, CIFAR10_LABELS     image_folder   load_data_image_folder
    display     use_png_display; colours, alt text
    training    train, evaluate_accuracy; made of: mistakes (in words), recipes (SGD and stronger),
                fast_form, memory, parallel (several processes), checkpoint, progress (its accounts)
    history     History: what a training run did      live     LiveAnimator, the plot it draws
    devices     try_gpu, describe_machine; pick_scale: how much work this machine can afford
    shipped     pretrained: the trained network that the course ships; garments: its three images
    exercises   what checks are made of; predictions: predict, tally, and the file that keeps both
    verdicts    compare_paired, conclude: what measured numbers allow to be said
    __main__    python -m d2lvgg check | progress | train

A name is imported when it is first used, so importing d2lvgg costs nothing: __init__.pyi says from
where, to Python and to editors.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
