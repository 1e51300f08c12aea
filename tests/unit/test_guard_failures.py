"""torch's failing guards, read: which kind of change, where, from what to what."""

import pytest
from builders import array, signature, static

from jitscope.analysis.global_state import names_in_reason, state_causes
from jitscope.analysis.torch_guards import causes_of_guards, user_line
from jitscope.analysis.torch_merging import common_path
from jitscope.model.events import GuardFailure

KEYS = "DispatchKeySet(CPU, BackendSelect, ADInplaceOrView, AutogradCPU)"


def tensor(size, stride, dtype="torch.float32", keys=KEYS, grad=False, kind="Tensor"):
    return f"{kind}, {keys}, {dtype}, device=None, requires_grad={grad}, size={size}, stride={stride}"


def brief(*failures, wrapped=False, before=None, called=None, **options):
    found = causes_of_guards(failures, called, before, wrapped=wrapped, **options)
    return [(one.kind, one.path, one.old, one.new) for one in found]


def failure(text, value=None, source="L['x']", origin="argument", **fields):
    return GuardFailure(entry="0/0", text=text, value=value, source=source, origin=origin, **fields)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (tensor([4], [1]), tensor([5], [1]), [("shape", "x", "f32[4]", "f32[5]")]),
        (tensor([None, 4], [4, 1]), tensor([7, 5], [5, 1]), [("shape", "x", "f32[$,4]", "f32[7,5]")]),
        (tensor([4], [1]), tensor([1, 4], [4, 1]), [("rank", "x", "f32[4]", "f32[1,4]")]),
        (
            tensor([4], [1]),
            tensor([5], [1], "torch.float64"),
            [("shape", "x", "f32[4]", "f64[5]"), ("dtype", "x", "f32[4]", "f64[5]")],
        ),
        (tensor([4, 4], [4, 1]), tensor([4, 4], [1, 4]), [("layout", "x", "stride=4,1", "stride=1,4")]),
        (tensor([4, 8], [8, 1]), tensor([4, 9], [9, 1]), [("shape", "x", "f32[4,8]", "f32[4,9]")]),
        (
            tensor([4], [1]),
            tensor([4], [1], grad=True),
            [("requires_grad", "x", "requires_grad=False", "requires_grad=True")],
        ),
        (
            tensor([4], [1]),
            tensor([4], [1], keys="DispatchKeySet(Meta, BackendSelect, ADInplaceOrView, AutogradMeta)"),
            [("device", "x", "cpu", "meta")],
        ),
        (
            tensor([4], [1]),
            tensor([4], [1], keys="DispatchKeySet(CPU, BackendSelect)"),
            [("requires_grad", "x", "ordinary tensor", "inference tensor")],
        ),
        (tensor([4], [1]), "<class 'bool'>", [("python_type", "x", "f32[4]", "bool")]),
    ],
)
def test_what_changed_about_a_tensor(text, value, expected):
    assert expected == brief(failure(f"check_tensor(L['x'], {text})  # y = x.sin()  # f.py:3 in f", value))


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("L['k'] == 2", {"value": "3", "type": "int"}, ("static_value", "k", "2", "3")),
        ("L['k'] == 2", {"value": "2.5", "type": "float"}, ("python_type", "k", "2", "2.5")),
        ("L['k'] is None", {"value": "[2]", "type": "list"}, ("python_type", "k", "None", "[2]")),
        ("L['k'] == 'a'", {"value": "'b'", "type": "str"}, ("static_value", "k", "'a'", "'b'")),
        ("len(L['k']) == 2", {"value": "3"}, ("tree_structure", "k", "length 2", "length 3")),
        ("not L['k']", {"value": "1"}, ("tree_structure", "k", "empty", "length 1")),
        (
            "___check_type_id(L['k'], 1), type=<class 'list'>",
            {"value": "<class 'tuple'>", "type": "tuple"},
            ("tree_structure", "k", "list", "tuple"),
        ),
        (
            "___check_obj_id(L['k'], 1), type=<class 'a.E'>",
            {"value": "E.B", "type": "E"},
            ("static_value", "k", "another E", "E.B"),
        ),
        (
            "set.__contains__(L['k'], 'a')",
            {"value": "{'b'}"},
            ("static_value", "k", "'a' present", "'a' absent"),
        ),
        ("something(new)", {"value": "?"}, ("unknown", "k", None, "?")),
    ],
)
def test_what_changed_about_a_value(text, fields, expected):
    assert [expected] == brief(failure(text, source="L['k']", **fields))


def test_where_a_value_comes_from_decides_the_kind():
    def kind(origin, source="L['k']", text="L['k'] == 2"):
        ((kind, path, *_),) = brief(failure(text, "3", source=source, origin=origin, type="int"))
        return kind, path

    assert ("static_value", "k") == kind("argument")
    assert ("captured_value", "S") == kind("captured", "G['S']")
    assert ("module_attribute", "self.step") == kind("module", "L['self'].__dict__['step']")
    assert ("module_attribute", "self.layers[0].step") == kind(
        "module", "L['self']._modules['layers']._modules['0'].step"
    )


def test_modules_that_were_switched_together_are_told_as_one():
    def mode(path):
        return failure("X.training == True", "False", source=f"L['self']{path}.training", origin="module", type="bool")

    assert [("training_mode", "self.layers", "True", "False")] == brief(
        mode("._modules['layers']._modules['0']"), mode("._modules['layers']._modules['1']")
    )


def test_many_parameters_are_told_as_their_module():
    failures = [
        failure(
            f"check_tensor(X, {tensor([4], [1], kind='Parameter')})",
            tensor([4], [1], "torch.float64", kind="Parameter"),
            source=f"L['self']._modules['lin']._parameters['p{n}']",
            origin="module",
        )
        for n in range(9)
    ]

    assert [("module_structure", "self.lin", "9 of its tensors: f32[4]", "f64[4]")] == brief(*failures)


def test_the_arguments_of_torchs_wrapper_have_the_users_names():
    called = signature(array("q", "f32", 4), array("k", "f32", 4))
    value = failure("L['args'][1] == 2", "3", source="L['args'][1]", type="int")

    assert [("static_value", "k", "2", "3")] == brief(value, called=called, wrapped=True)
    assert [("static_value", "z", "2", "3")] == brief(value, wrapped=True, parameters=("q", "z"))


def test_what_was_there_is_told_from_the_earlier_call_where_the_guard_knows_an_address_only():
    before = signature(static("fn", "f", type="function"))
    one = failure("___check_obj_id(L['fn'], 1), type=<class 'function'>", "<function g>", source="L['fn']")

    assert [("static_value", "fn", "'f'", "<function g>")] == brief(one, before=before)


def test_a_default_that_differs_belongs_to_the_function():
    one = failure("L['k'] == 2", "3", source="L['k']", type="int")

    assert [("captured_value", "k", "2", "3")] == brief(one, called=signature(array("x", "f32")), defaults=("k",))


def test_a_constraint_comes_with_the_users_line():
    text = "2 <= L['x'].size()[0] <= 8  # if x.shape[0] > 8:  # code/model.py:12 in f (user code shown is first use)"
    one = GuardFailure(entry="0/0", text=text, value="L['x'].size()[0] = 20")

    assert [
        (
            "shape_constraint",
            "x",
            "2 <= x.size()[0] <= 8, from if x.shape[0] > 8: (model.py:12)",
            "x.size()[0] = 20",
        )
    ] == brief(one)
    assert user_line("L['x'] == 2") is None


def test_one_path_with_two_guards_is_told_once():
    one = failure("L['k'] == 2", "3", source="L['k']", type="int")

    assert 1 == len(brief(one, one))


def test_the_global_state_is_compared_field_by_field():
    before = '{"grad_mode":true,"num_threads":2,"autocast_state":{"enabled":[false,false],"dtype":[15,5]}}'
    after = '{"grad_mode":false,"num_threads":2,"autocast_state":{"enabled":[true,false],"dtype":[5,5]}}'
    found = state_causes(f"___check_global_state() against {before}", after, "0/0")

    assert [
        ("grad_mode", "True", "False"),
        ("autocast(cpu)_enabled", "False", "True"),
        ("autocast(cpu)_dtype", "bfloat16", "float16"),
    ] == [(one.path, one.old, one.new) for one in found]


def test_a_state_that_cannot_be_read_is_one_cause():
    (only,) = state_causes("___check_global_state()", None, "0/0: ___check_global_state()")

    assert ("config", "global state", None) == (only.kind, only.path, only.old)
    assert ["grad_mode", "num_threads"] == names_in_reason("GLOBAL_STATE changed: grad_mode num_threads ")


def test_the_path_that_leads_to_all():
    assert "self.a" == common_path(["self.a.b", "self.a.c[0]"])
    assert "self.a[0]" == common_path(["self.a[0]"])
