"""What a training run did: rows, losses, and how it ended."""

from dataclasses import dataclass, field


@dataclass(repr=False)
class History:
    """What a training run did. One row an epoch; loss and accuracies are means over examples."""

    device: str
    precision: str
    data: str = ""  # where the images came from
    epochs: list = field(default_factory=list)  # dicts, see to_frame
    step_losses: list = field(default_factory=list)  # the loss of every step, in order
    interrupted: bool = False
    diverged: str = ""  # where the loss stopped being a number, and what to do about it
    animator: object = None  # the live plot, for .save(path)

    def to_frame(self):
        """Return a DataFrame: train_loss, train_acc, test_acc, seconds and examples/s an epoch.

        seconds is wall-clock from asking for the first batch to knowing the test accuracy, and
        examples_per_sec divides the training examples by it. book_examples_per_sec is the figure
        that the book's timer gives: it leaves out loading, plotting and evaluation.
        """
        import pandas as pd

        return pd.DataFrame(self.epochs).set_index("epoch") if self.epochs else pd.DataFrame()

    def __str__(self):
        lines = []
        if self.epochs:
            last = self.epochs[-1]
            examples, seconds, book_seconds = (sum(row[name] for row in self.epochs) for name in (
                "examples", "seconds", "book_seconds"))
            lines += [f"loss {last['train_loss']:.3f}, train acc {last['train_acc']:.3f}, "
                      f"test acc {last['test_acc']:.3f}",
                      f"{examples / seconds:.1f} examples/sec on {self.device} in "
                      f"{self.precision} (by the book's timer: {examples / book_seconds:.1f})"]
        if self.interrupted:
            lines.append(f"interrupted after {len(self.epochs)} whole epochs")
        if self.diverged:
            lines.append(self.diverged)
        if "sketch" in self.data:
            lines.append("trained on drawn images: these compare with nothing published")
        return "\n".join(lines)

    __repr__ = __str__  # a cell's last line shows this, and not every step's loss
