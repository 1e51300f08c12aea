"""Keys of caches on disk: written by what differs, read back whole, compared part by part."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.cache_keys import LOCATIONS, KeyStory, changes, key_story
from jitscope.capture.keys import KEPT, MOST_TEXT, KeyBook
from jitscope.model.caching import KeyPart, pack, unpack


def book():
    return KeyBook(itertools.count(1).__next__)


def parts(**named):
    return [KeyPart(name, digest) for name, digest in named.items()]


def story(text="module @jit_f", captured=None, **digests):
    known = {name.replace("_", " "): KeyPart(name.replace("_", " "), digest) for name, digest in digests.items()}
    return KeyStory(known, text, None, captured or {})


def test_the_first_key_is_written_whole_and_the_next_by_what_differs():
    keys = book()
    (first,) = keys.events("jax", "k1", parts(a="1", b="2"))
    base, second = keys.events("jax", "k2", parts(a="1", b="3"))

    assert first is base
    assert (None, first.id) == (first.base, second.base)
    assert (KeyPart("b", "3"),) == second.parts


def test_a_key_that_comes_again_has_the_same_event():
    keys = book()
    keys.events("jax", "k1", parts(a="1"))
    again = keys.events("jax", "k2", parts(a="2"))

    assert again == keys.events("jax", "k2", parts(a="2"))


def test_caches_do_not_share_a_base():
    keys = book()
    keys.events("jax", "k1", parts(a="1"))
    (other,) = keys.events("fx_graph", "k1", parts(a="1"))

    assert other.base is None


def test_of_very_many_keys_the_base_stays_and_none_is_lost():
    keys = book()
    (base,) = keys.events("jax", "k", parts(a="0"))
    for n in range(KEPT + 5):
        found = keys.events("jax", f"k{n}", parts(a=str(n)))
        assert base.id == found[0].id
    again = keys.events("jax", "k", parts(a="0"))

    assert {"a": KeyPart("a", "0")} == key_story(again[-1].id, {one.id: one for one in again}).parts


def test_a_very_long_text_is_left_out_with_the_reason():
    (event,) = book().events("jax", "k", parts(a="1"), text="x" * (MOST_TEXT + 1))

    assert event.packed is None
    assert str(MOST_TEXT) in event.unpacked


_PARTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("123"), max_size=6)


@given(st.lists(_PARTS, min_size=1, max_size=8))
def test_every_key_reads_back_as_it_was(many):
    keys = book()
    for n, digests in enumerate(many):
        found = keys.events("jax", f"k{n}", parts(**digests))
        read = key_story(found[-1].id, {one.id: one for one in found})
        assert {name: KeyPart(name, digest) for name, digest in digests.items()} == read.parts


@given(st.text())
def test_texts_unpack_as_they_were(text):
    assert text.encode(errors="replace") == unpack(pack(text.encode(errors="replace").decode())).encode()


def test_what_was_never_packed_is_no_text():
    assert unpack("not packed") is None
    assert unpack("") is None


def test_a_bomb_is_no_text():
    assert unpack(pack("0" * (5 << 20))) is None


def test_a_key_whose_base_is_missing_has_no_story():
    keys = book()
    keys.events("jax", "k1", parts(a="1"))
    _, second = keys.events("jax", "k2", parts(a="2"))

    assert key_story(second.id, {second.id: second}) is None
    assert key_story(None, {}) is None


def test_equal_keys_have_no_changes():
    assert () == changes(story(XLA_flags="1"), story(XLA_flags="1"))


def test_each_part_that_differs_is_a_change_and_the_program_comes_last():
    found = changes(
        story(computation="1", XLA_flags="1", compression="z"), story(computation="2", XLA_flags="2", compression="z")
    )

    assert ["XLA flags", "computation"] == [one.part for one in found]


def test_a_version_comes_first_and_what_only_follows_from_it_is_not_blamed():
    """Another jaxlib serializes programs, options and devices in its own way."""
    names = ("computation", "compile_options", "accelerator_config", "jax_lib version")
    old, new = (
        KeyStory(
            {
                name: KeyPart(name, digest, text)
                for name, text in zip(names, (None, None, "cpu x1", version), strict=True)
            },
            "module @jit_f", None, {},
        )
        for digest, version in (("1", "0.9.0"), ("2", "0.10.2"))
    )  # fmt: skip
    found = changes(old, new)

    assert "jax_lib version" == found[0].part
    assert all("another jaxlib" in one.inside[0] and one.fix is None for one in found[1:])
    assert 4 == len(found)


def test_devices_that_are_called_the_same_are_not_said_to_be_others():
    old, new = (
        KeyStory({"accelerator_config": KeyPart("accelerator_config", digest, "cpu x1")}, None, None, {})
        for digest in "12"
    )
    (change,) = changes(old, new)

    assert "called the same" in change.inside[0]


def test_flags_are_told_one_by_one():
    old, new = (
        KeyStory({"XLA flags": KeyPart("XLA flags", text, text)}, None, None, {})
        for text in ("--a=1 --b=2", "--b=2 --c=3")
    )

    assert ("no longer: --a=1", "new: --c=3") == changes(old, new)[0].inside


def test_compile_options_are_told_one_by_one():
    old, new = (
        KeyStory(
            {
                "compile_options": KeyPart("compile_options", value),
                "compile_options[num_replicas]": KeyPart("compile_options[num_replicas]", "", value),
                "compile_options[num_partitions]": KeyPart("compile_options[num_partitions]", "", "1"),
            },
            None,
            None,
            {},
        )
        for value in ("1", "2")
    )
    (change,) = changes(old, new)

    assert ("num_replicas: 1 → 2",) == change.inside


def test_settings_of_inductor_are_told_with_their_module():
    old, new = (
        KeyStory(
            {"inductor_config[max_fusion_size]": KeyPart("inductor_config[max_fusion_size]", v, v)}, None, None, {}
        )
        for v in ("64", "17")
    )
    (change,) = changes(old, new)

    assert ("torch._inductor.config.max_fusion_size", "64", "17") == (change.title, change.old, change.new)


def test_a_config_hashed_as_a_whole_gives_way_to_its_settings():
    old, new = (
        KeyStory(
            {
                "autograd_config": KeyPart("autograd_config", v),
                "autograd_config[donated_buffer]": KeyPart("autograd_config[donated_buffer]", "", v),
            },
            None,
            None,
            {},
        )
        for v in ("True", "False")
    )

    assert ["torch._functorch.config.donated_buffer"] == [one.title for one in changes(old, new)]


def test_a_captured_value_is_named_before_the_constant_that_it_became():
    old = story("c = dense<2.0>", {"SCALE": "2.0"}, computation="1")
    new = story("c = dense<3.0>", {"SCALE": "3.0"}, computation="2")
    (change,) = changes(old, new)

    assert "SCALE, which the function takes from around it: 2.0 → 3.0" == change.inside[0]
    assert change.fix.startswith("pass SCALE as an argument")


def test_an_equal_text_that_hides_constants_says_that_it_is_them():
    text = "%cst = stablehlo.constant dense_resource<__elided__>"
    (change,) = changes(story(text, computation="1"), story(text, computation="2"))

    assert ("only the contents of a constant array, which are not recorded",) == change.inside


@pytest.mark.parametrize("constants", [False, True])
def test_an_equal_text_whose_key_has_source_locations_says_that_it_is_them(constants):
    text = "dense_resource<__elided__>" if constants else "add"
    known = {LOCATIONS: KeyPart(LOCATIONS, "", "True")}
    old, new = (
        KeyStory(known | {"computation": KeyPart("computation", digest)}, text, None, {}) for digest in ("1", "2")
    )
    (change,) = changes(old, new)

    assert change.inside[0].startswith("source locations")
    assert constants == ("constant array" in change.inside[0])
    assert LOCATIONS in change.fix


def test_without_a_text_what_differs_is_said_to_be_unknown():
    old = KeyStory({"computation": KeyPart("computation", "1")}, None, "the program has 9 bytes", {})
    (change,) = changes(old, story(computation="2"))

    assert ("what differs in it is not known: its text was not recorded (the program has 9 bytes)",) == change.inside


def test_fields_of_a_tensor_are_told_one_by_one():
    old, new = (
        KeyStory(
            {
                "example_inputs[0]": KeyPart(
                    "example_inputs[0]", str(n), f"TensorMetadata(shape=torch.Size([{n}, 4]), stride=(1, 4))"
                )
            },
            None,
            None,
            {},
        )
        for n in (3, 5)
    )

    assert ("shape: torch.Size([3, 4]) → torch.Size([5, 4])",) == changes(old, new)[0].inside
