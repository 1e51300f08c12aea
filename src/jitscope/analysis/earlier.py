"""The compilations of one program so far, and quickly the one among them that a new one differs least from.

Looking at all of them for each new one takes a time that grows with the square of their number. Almost always only a
few things vary: the size of one axis, a static value. So compilations are entered in a table under every choice of
what may differ: what is found under a choice agrees in all the rest. The choices are gone through from the least
difference up; the first that finds anything has the answer, the same as if all had been looked at. Where more varies
than `MOST_CHOICES` allows, only the last `LAST` compilations are looked at, and those for the very same call.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import Final, NamedTuple, overload

import msgspec

from jitscope.analysis.compiled import Compiled, nearest_compiled
from jitscope.analysis.diff import beside, leaf_places
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, same_leaf

FEW: Final = 32
"""So many compilations are simply all looked at."""
MOST_CHOICES: Final = 64
"""Most choices under which a compilation is entered: six independent things that vary."""
LAST: Final = 64
"""Compilations that are looked at where more varies."""

Place = tuple[str, Hashable]
"""What can differ: ``("leaf", (path, occurrence))``, ``("setting", name)``, ``("beside", number)``."""
_Value = tuple[Hashable, ...]
"""What is there: its type, then its fields."""
_Free = tuple[Hashable, tuple[int, ...]]
"""Of one place: the type of what is there, and those of its fields that may differ."""


class Earlier(Sequence[Compiled]):
    """What was compiled of one program, in order. Grows with `add`."""

    def __init__(self, compiled: Sequence[Compiled] = ()) -> None:
        self._all = _Group()
        self._owners: dict[object, _Group] = {}
        self._bodies: dict[object, _Group] = {}
        self._generations: dict[int, list[Compiled]] = {}
        self._entries: dict[tuple[int, str], list[tuple[int, Compiled]]] = {}
        for one in compiled:
            self.add(one)

    def add(self, one: Compiled) -> None:
        """``one`` was compiled."""
        self._all.items.append(one)
        self._owners.setdefault(one.owner, _Group()).items.append(one)
        self._bodies.setdefault(one.body, _Group()).items.append(one)
        if one.event.framework == "torch":
            live = self._generations.setdefault(one.event.generation, [])
            key = (one.event.generation, one.event.framework_id or "")
            self._entries.setdefault(key, []).append((len(live), one))
            live.append(one)

    def has_owner(self, one: Compiled) -> bool:
        """Whether any is of the same function object, with the same options."""
        return one.owner in self._owners

    def of_generation(self, generation: int) -> Sequence[Compiled]:
        """torch: those since the last reset."""
        return self._generations.get(generation, ())

    def entries(self, generation: int, ids: Iterable[str]) -> list[tuple[int, Compiled]]:
        """torch: those of them with these compile ids, each with its position among all of the generation."""
        found = [each for entry in ids for each in self._entries.get((generation, entry), ())]
        return sorted(found, key=lambda each: each[0])

    def nearest(self, one: Compiled) -> tuple[Compiled | None, bool]:
        """What `nearest_compiled` finds, and whether all were looked at for it."""
        return (self._owners.get(one.owner) or self._bodies.get(one.body) or self._all).nearest(one)

    @overload
    def __getitem__(self, index: int) -> Compiled: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Compiled]: ...
    def __getitem__(self, index: int | slice) -> Compiled | Sequence[Compiled]:
        return self._all.items[index]

    def __len__(self) -> int:
        return len(self._all.items)


class _Kind(NamedTuple):
    """Values of one type at one place."""

    like: _Value
    """One of them."""
    fields: tuple[int, ...]
    """Positions of the fields in which they differ."""


class _Choice(NamedTuple):
    cost: tuple[int, int]
    """How much differs then: leaves and settings, aspects."""
    free: tuple[_Free, ...]
    """By place that varies."""


class _Group:
    """Compilations that are compared with each other."""

    def __init__(self) -> None:
        self.items: list[Compiled] = []
        self._read = 0
        """How many of them are in the table: many are added that nothing is ever compared with."""
        self._first: Compiled | None = None
        self._varying: dict[Place, dict[Hashable, _Kind]] = {}
        """By place and type."""
        self._newest: dict[Hashable, int] = {}
        """The table: positions in `items`."""
        self._too_many = False
        """The table is by the whole call."""
        self._layouts: dict[tuple[str, ...], dict[tuple[str, int], int]] = {}
        self._plans: dict[Hashable, list[_Choice]] = {}
        self._numbers: dict[tuple[_Free, ...], int] = {}

    def nearest(self, one: Compiled) -> tuple[Compiled | None, bool]:
        if len(self.items) <= FEW:
            return nearest_compiled(one, self.items), True
        if one.signature is None:
            return self.items[-1], True  # nothing is nearer than anything else
        while self._read < len(self.items):
            self._read += 1
            self._add(self._read - 1)
        if self._first is None:
            return self.items[-1], True
        if not self._too_many and self._comparable(one, self._first):
            return self.items[self._find(one)], True
        same = self._newest.get(_whole(one)) if self._too_many else None
        if same is not None:
            return self.items[same], True
        return nearest_compiled(one, self.items[-LAST:]), len(self.items) <= LAST

    def _comparable(self, one: Compiled, first: Compiled) -> bool:
        """Whether the difference to each is the sum of what differs at each place."""
        kinds = ({*kinds, value[0]} for kinds, value in zip(self._varying.values(), self._values(one), strict=True))
        # What was not recorded is like anything; and a value with a token is compared otherwise than one without.
        return (one.settings is None) == (first.settings is None) and not any(each >= _TWO_WAYS for each in kinds)

    def _find(self, one: Compiled) -> int:
        values = self._values(one)
        best, least = -1, (0, 0)
        for choice in self._plan(values):
            if best >= 0 and choice.cost > least:
                break
            found = self._newest.get(self._key(values, choice.free))
            if found is not None and found > best:
                best, least = found, choice.cost
        return best

    def _plan(self, values: Sequence[_Value]) -> list[_Choice]:
        """What to look up for these values, the least difference first."""
        options: list[list[tuple[int, int, _Free]]] = []
        known: list[Hashable] = []
        for (place, kinds), value in zip(self._varying.items(), values, strict=True):
            weight = place[0] != "beside"
            kind = kinds.get(value[0])
            # Where it differs from all of its type, whatever they have in the fields that vary.
            always = 0 if kind is None else sum(
                kind.like[n] != value[n] for n in range(1, len(value)) if n not in kind.fields
            )
            known.append((value[0], always))
            here = [(weight, 1, (other, each.fields)) for other, each in kinds.items() if other != value[0]]
            if kind is not None:
                for free in _subsets(kind.fields):
                    count = always + len(free)
                    here.append((weight and count > 0, count, (value[0], free)))
            options.append([(int(leaf), aspects, free) for leaf, aspects, free in here])
        plan = self._plans.get(tuple(known))
        if plan is None:
            plan = self._plans[tuple(known)] = sorted(
                _Choice((sum(leaf for leaf, _, _ in each), sum(n for _, n, _ in each)), tuple(free for *_, free in each))
                for each in product(*options)
            )
        return plan

    # -- the table ---------------------------------------------------------------------------

    def _add(self, position: int) -> None:
        one = self.items[position]
        if one.signature is None:
            return
        if self._first is None:
            self._first = one
        if self._too_many:
            self._newest[_whole(one)] = position
            return
        varied = self._notice(one, self._first)
        self._too_many = self._too_many or not self._bearable()
        if self._too_many:
            known = enumerate(self.items[: position + 1])
            self._newest = {_whole(each): at for at, each in known if each.signature is not None}
            return
        if varied:
            self._newest, self._plans, self._numbers = {}, {}, {}
        for at in range(0 if varied else position, position + 1):
            self._enter(at)

    def _enter(self, position: int) -> None:
        if self.items[position].signature is None:
            return
        values = self._values(self.items[position])
        own = [
            [(value[0], free) for free in _subsets(kinds[value[0]].fields)]
            for value, kinds in zip(values, self._varying.values(), strict=True)
        ]
        for free in product(*own):
            self._newest[self._key(values, free)] = position

    def _notice(self, one: Compiled, first: Compiled) -> bool:
        """Look what varies; whether anything does that did not before."""
        varied = False
        for place in self._differing(first, one):
            old, new = self._at(first, place), self._at(one, place)
            if place not in self._varying:
                self._varying[place] = {old[0]: _Kind(old, ())}
                varied = True
            kinds = self._varying[place]
            kind = kinds.get(new[0])
            if kind is None:
                kind = kinds[new[0]] = _Kind(new, ())
                varied = True
            more = {n for n in range(1, len(new)) if kind.like[n] != new[n]} - set(kind.fields)
            if more:
                kinds[new[0]] = _Kind(kind.like, tuple(sorted({*kind.fields, *more})))
                varied = True
        if (one.settings is None) != (first.settings is None):
            self._too_many = True  # what was not recorded is like anything
        return varied

    def _bearable(self) -> bool:
        choices = 1
        for kinds in self._varying.values():
            if kinds.keys() >= _TWO_WAYS:
                return False
            choices *= sum(2 ** len(kind.fields) for kind in kinds.values())
        return choices <= MOST_CHOICES

    def _key(self, values: Sequence[_Value], free: tuple[_Free, ...]) -> Hashable:
        """What the table has for these values under this choice."""
        number = self._numbers.setdefault(free, len(self._numbers))
        return number, *(
            value[n]
            for value, (kind, left), kinds in zip(values, free, self._varying.values(), strict=True)
            if value[0] == kind
            for n in kinds[kind].fields
            if n not in left
        )

    # -- what is where -----------------------------------------------------------------------

    def _values(self, one: Compiled) -> list[_Value]:
        return [self._at(one, place) for place in self._varying]

    def _at(self, one: Compiled, place: Place) -> _Value:
        what, which = place
        assert one.signature is not None
        if what == "beside":
            return ("value", beside(one.signature)[which])  # type: ignore[index]
        if what == "setting":
            return ("value", (one.settings or {}).get(which))  # type: ignore[call-overload]
        at = self._layout(one.signature).get(which)  # type: ignore[call-overload]
        return _leaf_value(one.signature.leaves[at] if at is not None else None)

    def _layout(self, signature: Signature) -> dict[tuple[str, int], int]:
        """Positions of leaves by place; signatures with the same paths share it."""
        paths = tuple(leaf.path for leaf in signature.leaves)
        known = self._layouts.get(paths)
        if known is None:
            known = self._layouts[paths] = {place: n for n, place in enumerate(leaf_places(signature.leaves))}
        return known

    def _differing(self, old: Compiled, new: Compiled) -> Iterator[Place]:
        assert old.signature is not None and new.signature is not None  # noqa: PT018
        before, after = self._layout(old.signature), self._layout(new.signature)
        for place in before if before is after else dict.fromkeys((*before, *after)):
            was = old.signature.leaves[before[place]] if place in before else None
            now = new.signature.leaves[after[place]] if place in after else None
            if was is not now and not same_leaf(was, now):
                yield "leaf", place
        for number, (one, other) in enumerate(zip(beside(old.signature), beside(new.signature), strict=True)):
            if one != other:
                yield "beside", number
        settings, others = old.settings or {}, new.settings or {}
        if settings is not others:
            for name in settings.keys() | others.keys():
                if settings.get(name) != others.get(name):
                    yield "setting", name


_TWO_WAYS = {"static 3", "static 5"}


def _leaf_value(leaf: Leaf | None) -> _Value:
    if leaf is None:
        return ("absent",)
    if isinstance(leaf, ArrayLeaf):
        return ("array", *msgspec.structs.astuple(leaf))
    return (f"static {len(leaf.key)}", *leaf.key)


def _whole(one: Compiled) -> Hashable:
    """The same for calls between which nothing differs."""
    signature = one.signature
    assert signature is not None
    leaves = tuple(leaf if isinstance(leaf, ArrayLeaf) else leaf.key for leaf in signature.leaves)
    return leaves, beside(signature), None if one.settings is None else frozenset(one.settings.items())


def _subsets(fields: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for count in range(len(fields) + 1):
        yield from combinations(fields, count)
