"""What differs between two programs, told from their texts."""

import pytest

from jitscope.analysis.program_text import hides_constants, text_differences

JAX = """\
module @jit_f attributes {mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3xf32>) -> (tensor<f32> {jax.result_info = "result"}) {
    %cst = stablehlo.constant dense<2.500000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<3xf32>
    return %1 : tensor<3xf32>
  }
}
"""
TORCH = """\
def forward(self, p_0 : torch.Tensor):
    sin = p_0.sin();  p_0 = None
    mul = sin * 4.5;  sin = None
    return (mul,)
"""


def test_equal_texts_have_no_differences():
    assert () == text_differences(JAX, JAX)


def test_a_constant_is_told_with_both_values():
    assert ("a constant: 2.5 → 3",) == text_differences(JAX, JAX.replace("2.500000e+00", "3.000000e+00"))


def test_a_constant_of_a_torch_graph_is_told_with_both_values():
    assert ("a constant: 4.5 → 6.5",) == text_differences(TORCH, TORCH.replace("4.5", "6.5"))


def test_the_functions_name_is_told_without_jaxs_prefix():
    assert ("the function's name: f → step",) == text_differences(JAX, JAX.replace("@jit_f", "@jit_step"))


def test_a_name_and_a_constant_are_both_told():
    other = JAX.replace("@jit_f", "@jit_g").replace("2.500000e+00", "3.000000e+00")

    assert ("the function's name: f → g", "a constant: 2.5 → 3") == text_differences(JAX, other)


def test_another_shape_is_an_argument():
    found = text_differences(JAX, JAX.replace("3xf32", "4xf32"))

    assert "the arguments: number 0 3xf32 → 4xf32" == found[0]


def test_one_operation_more_is_told_though_all_numbers_after_it_shift():
    more = JAX.replace("    return %1", "    %2 = stablehlo.sine %1 : tensor<3xf32>\n    return %2")

    assert ("new: %2 = stablehlo.sine %1 : tensor<3xf32>",) == text_differences(JAX, more)


def test_many_differences_are_cut_and_counted():
    lines = [f"    a{n} = b.sin()" for n in range(10)]
    found = text_differences("\n".join(lines), "\n".join(line.replace("sin", "cos") for line in lines))

    assert 5 == len(found)
    assert "more differences" in found[-1]


def test_what_is_no_text_of_either_framework_is_compared_as_lines():
    assert text_differences("", "x = 1")


@pytest.mark.parametrize(("text", "hidden"), [(JAX, False), ("dense_resource<__elided__> : tensor<20xf32>", True)])
def test_texts_say_whether_they_leave_out_constants(text, hidden):
    assert hidden is hides_constants(text)
