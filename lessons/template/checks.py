"""Lesson 99's exercises."""

from d2lvgg.exercises import ask_number, exercise, expect


@exercise
def check_count(answer):
    """Lesson 99, exercise 1: weights and biases of a linear layer."""
    for num_inputs, num_outputs in ((20, 10), (1, 1), (3, 7)):
        found = ask_number(answer, num_inputs, num_outputs)
        expect(found != num_inputs * num_outputs, "those are the weights: count the biases too")
        expect(found == (num_inputs + 1) * num_outputs,
               f"{found} is not it: each output has a weight for each input, and a bias")
    return "A bias is one more weight, of an input that is always 1."


@exercise
def check_share_of_biases(answer):
    """Lesson 99, exercise 2: biases over all numbers."""
    for num_inputs, num_outputs in ((20, 10), (1, 1), (3, 7)):
        found = ask_number(answer, num_inputs, num_outputs)
        expect(not 1 < found <= 100, f"{found} is no share: a share lies between 0 and 1")
        expect(abs(found * num_inputs - 1) > 1e-9, "that is biases over weights: divide by all")
        expect(abs(found * (num_inputs + 1) - 1) < 1e-9,
               f"{found} is not it: count the biases, and all numbers of the layer")
    return "The wider the input, the less the biases weigh."
