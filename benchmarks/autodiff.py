"""The engine's costs: one backward pass against N finite differences, and a graph of 10,000 nodes.

Run:  OMP_NUM_THREADS=1 python benchmarks/autodiff.py
"""

import random
import statistics
import time
from collections.abc import Callable

import torch

from course_utils.autodiff import Network, Value, topological_order


def seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """The median of several timings, in processor time: a busy machine does not count."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        action()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def backward_against_differences(hidden: int, repeats: int = 9) -> tuple[int, float, float, float, float]:
    """A network 2-hidden-1: its parameters; seconds forwards, both ways, and turning every knob; how far apart."""
    network = Network([2, hidden, 1], seed=0)
    parameters = network.parameters

    def loss() -> Value:
        return (network([0.5, -0.3])[0] - 1.0) ** 2

    def backwards() -> list[float]:
        loss().backward()
        return [parameter.gradient or 0.0 for parameter in parameters]

    def turning_every_knob(step: float = 1e-6) -> list[float]:
        here = loss().data
        slopes = []
        for parameter in parameters:
            before = parameter.data
            parameter.data = before + step
            slopes.append((loss().data - here) / step)
            parameter.data = before
        return slopes

    apart = max(abs(a - b) for a, b in zip(backwards(), turning_every_knob(), strict=True))
    slow = seconds(turning_every_knob, 1)
    return len(parameters), seconds(loss, repeats), seconds(backwards, repeats), slow, apart


def sum_of_products(nodes: int, convert: Callable[[float], Value | torch.Tensor]):
    """A loss made by about ``nodes`` operations on 100 inputs."""
    draw = random.Random(0)
    inputs = [convert(draw.uniform(-1, 1)) for _ in range(100)]
    total = inputs[0]
    while nodes > 0:
        total = total + draw.choice(inputs) * draw.choice(inputs)
        nodes -= 2
    return total


def chain(length: int) -> Value:
    value = Value(1.0)
    for _ in range(length):
        value = value * 1.0001
    return value


def main() -> None:
    print("One backward pass against turning every knob (network 2-h-1, one example, medians)")
    print(
        f"{'parameters':>10} {'forward':>10} {'forward+backward':>17} {'all differences':>16} {'ratio':>7} {'apart':>8}"
    )
    for hidden in (1, 3, 10, 30, 100, 300):
        count, forward, backward, differences, apart = backward_against_differences(hidden)
        print(
            f"{count:10} {forward * 1e3:7.2f} ms {backward * 1e3:14.2f} ms {differences * 1e3:13.1f} ms"
            f" {differences / backward:7.1f} {apart:8.0e}"
        )

    def torch_scalar(number: float) -> torch.Tensor:
        return torch.tensor(number, dtype=torch.float64, requires_grad=True)

    print("\nA graph of 10,000 operations (medians of 5)")
    graph = sum_of_products(10_000, Value)
    reference = sum_of_products(10_000, torch_scalar)
    print(f"  nodes {len(topological_order(graph)):,}")
    for title, make in [("engine", Value), ("torch, one number a tensor", torch_scalar)]:
        whole = sum_of_products(10_000, make)
        forward = seconds(lambda make=make: sum_of_products(10_000, make))
        back = seconds(whole.backward if make is Value else lambda whole=whole: whole.backward(retain_graph=True))
        print(f"  {title:28} forward {forward * 1e3:6.1f} ms   backward {back * 1e3:6.1f} ms")
    assert abs(graph.data - reference.item()) < 1e-10
    deep = chain(10_000)
    print(
        f"  a chain 10,000 deep          forward {seconds(lambda: chain(10_000)) * 1e3:6.1f} ms"
        f"   backward {seconds(deep.backward) * 1e3:6.1f} ms"
    )


if __name__ == "__main__":
    main()
