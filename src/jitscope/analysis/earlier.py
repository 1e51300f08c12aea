"""The compilations of one program so far, and quickly the one among them that a new one differs least from.

Looking at all of them for each new one takes a time that grows with the square of their number. Almost always only a
few things vary: the size of one axis, a static value. So compilations are entered in a table under every choice of
what may differ: what is found under a choice agrees in all the rest. The choices are gone through from the least
difference up; the first that finds anything has the answer, the same as if all had been looked at. Where more varies
than `MOST_CHOICES` allows, only the last `LAST` compilations are looked at, and those for the very same call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from operator import itemgetter
from typing import Final, NamedTuple, overload

import msgspec

from jitscope.analysis.compiled import Compiled, nearest_compiled
from jitscope.analysis.diff import beside, leaf_places
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, same_leaf

FEW: Final = 8
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
        self._by_id: dict[tuple[int, str], list[tuple[int, Compiled]]] = {}
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
            self._by_id.setdefault(key, []).append((len(live), one))
            live.append(one)

    def has_owner(self, one: Compiled) -> bool:
        """Whether any is of the same function object, with the same options."""
        return one.owner in self._owners

    def of_generation(self, generation: int) -> Sequence[Compiled]:
        """torch: those since the last reset."""
        return self._generations.get(generation, ())

    def entries(self, generation: int, ids: Iterable[str]) -> list[tuple[int, Compiled]]:
        """torch: those of them with these compile ids, each with its position among all of the generation."""
        found = [each for entry in ids for each in self._by_id.get((generation, entry), ())]
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
    rest: Callable[[_Value], Hashable]
    """Takes those in which they do not."""


class _Choice(NamedTuple):
    """What may differ, at each place that varies."""

    cost: tuple[int, int]
    """How much differs then: leaves and settings, aspects."""
    number: int
    """Tells it from the other choices."""
    kept: Callable[[Sequence[Hashable]], Hashable]
    """Takes, of all fields that vary, those that may not differ."""


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
        self._fixed: list[int] | None = None
        """Positions of the leaves that do not vary, in a call like the first."""
        self._known: tuple[Compiled | None, list[_Value]] = (None, [])
        """The last that was compared, and what is at the places that vary."""
        self._plans: dict[Hashable, list[_Choice]] = {}
        self._entries: dict[Hashable, list[_Choice]] = {}
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
        if not self._too_many:
            values = self._values(one)
            if self._comparable(one, self._first, values):
                self._known = (one, values)
                return self.items[self._find(values)], True
        same = self._newest.get(_whole(one)) if self._too_many else None
        if same is not None:
            return self.items[same], True
        return nearest_compiled(one, self.items[-LAST:]), len(self.items) <= LAST

    def _comparable(self, one: Compiled, first: Compiled, values: Sequence[_Value]) -> bool:
        """Whether the difference to each is the sum of what differs at each place."""
        # What was not recorded is like anything; and a value with a token is compared otherwise than one without.
        if (one.settings is None) != (first.settings is None):
            return False
        return not any(
            value[0] in _TWO_WAYS and {value[0], *kinds} >= _TWO_WAYS
            for value, kinds in zip(values, self._varying.values(), strict=True)
        )

    def _find(self, values: Sequence[_Value]) -> int:
        fields = self._fields(values)
        best, least = -1, (0, 0)
        for choice in self._plan(values):
            if best >= 0 and choice.cost > least:
                break
            found = self._newest.get((choice.number, choice.kept(fields)))
            if found is not None and found > best:
                best, least = found, choice.cost
        return best

    def _plan(self, values: Sequence[_Value]) -> list[_Choice]:
        """What to look up for these values, the least difference first."""
        always = tuple(
            # Where it differs from all of its type, whatever they have in the fields that vary.
            sum(kind.like[n] != value[n] for n in range(1, len(value)) if n not in kind.fields)
            if (kind := kinds.get(value[0])) is not None and kind.rest(kind.like) != kind.rest(value)
            else 0
            for value, kinds in zip(values, self._varying.values(), strict=True)
        )
        types = tuple([value[0] for value in values])
        plan = self._plans.get((types, always))
        if plan is None:
            options: list[list[tuple[int, int, _Free]]] = []
            for (place, kinds), own, more in zip(self._varying.items(), types, always, strict=True):
                leaf = int(place[0] != "beside")
                here = [(leaf, 1, (other, each.fields)) for other, each in kinds.items() if other != own]
                if own in kinds:
                    for free in _subsets(kinds[own].fields):
                        count = more + len(free)
                        here.append((leaf if count else 0, count, (own, free)))
                options.append(here)
            plan = self._plans[types, always] = sorted(
                (
                    self._choice(
                        (sum(leaf for leaf, _, _ in each), sum(count for _, count, _ in each)),
                        types,
                        tuple(free for *_, free in each),
                    )
                    for each in product(*options)
                ),
                key=lambda choice: choice.cost,
            )
        return plan

    def _choice(self, cost: tuple[int, int], types: tuple[Hashable, ...], free: tuple[_Free, ...]) -> _Choice:
        at, kept = 0, []
        for own, (kind, left), kinds in zip(types, free, self._varying.values(), strict=True):
            for n in kinds[own].fields if own in kinds else ():
                if own == kind and n not in left:
                    kept.append(at)
                at += 1
        number = self._numbers.setdefault(free, len(self._numbers))
        return _Choice(cost, number, itemgetter(*kept) if kept else _nothing)

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
        known, values = self._known
        values = values if known is one else self._values(one)
        if not self._is_new(one, self._first, values):
            self._enter(position, values)
            return
        for place, old, new in self._differing(self._first, one):
            self._notice(place, old, new)
        if not self._bearable(one, self._first):
            self._too_many = True
            calls = enumerate(self.items[: position + 1])
            self._newest = {_whole(each): at for at, each in calls if each.signature is not None}
            return
        self._newest, self._plans, self._entries, self._numbers = {}, {}, {}, {}
        self._fixed, self._known = None, (None, [])
        for at, each in enumerate(self.items[: position + 1]):
            if each.signature is not None:
                self._enter(at, self._values(each))

    def _enter(self, position: int, values: Sequence[_Value]) -> None:
        types = tuple([value[0] for value in values])
        choices = self._entries.get(types)
        if choices is None:
            own = [
                [(kind, free) for free in _subsets(kinds[kind].fields)]
                for kind, kinds in zip(types, self._varying.values(), strict=True)
            ]
            choices = self._entries[types] = [self._choice((0, 0), types, free) for free in product(*own)]
        fields = self._fields(values)
        for choice in choices:
            self._newest[choice.number, choice.kept(fields)] = position

    def _is_new(self, one: Compiled, first: Compiled, values: Sequence[_Value]) -> bool:
        """Whether anything varies with it that did not before."""
        assert one.signature is not None and first.signature is not None  # noqa: PT018
        for value, kinds in zip(values, self._varying.values(), strict=True):
            kind = kinds.get(value[0])
            if kind is None or (kind.like is not value and kind.rest(kind.like) != kind.rest(value)):
                return True
        layout = self._layout(first.signature)
        if self._layout(one.signature) is not layout or one.settings is not first.settings:
            return any(place not in self._varying for place, _, _ in self._differing(first, one))
        before, now = beside(first.signature), beside(one.signature)
        around = zip(before, now, strict=True) if before != now else ()
        if any(was != is_ and ("beside", n) not in self._varying for n, (was, is_) in enumerate(around)):
            return True
        if self._fixed is None:
            self._fixed = [n for place, n in layout.items() if ("leaf", place) not in self._varying]
        leaves, others = first.signature.leaves, one.signature.leaves
        different = [n for n in self._fixed if leaves[n] is not others[n]]
        return any(not same_leaf(leaves[n], others[n]) for n in different)

    def _notice(self, place: Place, old: _Value, new: _Value) -> None:
        """Keep in mind what varies there."""
        kinds = self._varying.setdefault(place, {old[0]: _kind(old, ())})
        kind = kinds.setdefault(new[0], _kind(new, ()))
        more = {n for n in range(1, len(new)) if kind.like[n] != new[n]}
        kinds[new[0]] = _kind(kind.like, {*kind.fields, *more})

    def _bearable(self, one: Compiled, first: Compiled) -> bool:
        if (one.settings is None) != (first.settings is None):
            return False
        choices = 1
        for kinds in self._varying.values():
            if kinds.keys() >= _TWO_WAYS:
                return False
            choices *= sum(2 ** len(kind.fields) for kind in kinds.values())
        return choices <= MOST_CHOICES

    # -- what is where -----------------------------------------------------------------------

    def _values(self, one: Compiled) -> list[_Value]:
        assert one.signature is not None
        layout, around = self._layout(one.signature), beside(one.signature)
        return [self._at(one, one.signature, place, layout, around) for place in self._varying]

    def _fields(self, values: Sequence[_Value]) -> list[Hashable]:
        """What is in all the fields that vary."""
        return [
            value[n]
            for value, kinds in zip(values, self._varying.values(), strict=True)
            if value[0] in kinds
            for n in kinds[value[0]].fields
        ]

    @staticmethod
    def _at(
        one: Compiled,
        signature: Signature,
        place: Place,
        layout: Mapping[tuple[str, int], int],
        around: tuple[Hashable, ...],
    ) -> _Value:
        what, which = place
        if what == "beside":
            return ("value", around[which])  # type: ignore[call-overload]
        if what == "setting":
            return ("value", (one.settings or {}).get(which))  # type: ignore[call-overload]
        at = layout.get(which)  # type: ignore[call-overload]
        return _leaf_value(signature.leaves[at] if at is not None else None)

    def _layout(self, signature: Signature) -> dict[tuple[str, int], int]:
        """Positions of leaves by place; signatures with the same paths share it."""
        paths = tuple([leaf.path for leaf in signature.leaves])
        known = self._layouts.get(paths)
        if known is None:
            known = self._layouts[paths] = {place: n for n, place in enumerate(leaf_places(signature.leaves))}
        return known

    def _differing(self, old: Compiled, new: Compiled) -> Iterator[tuple[Place, _Value, _Value]]:
        """Where two differ, and what is there."""
        assert old.signature is not None and new.signature is not None  # noqa: PT018
        before, after = self._layout(old.signature), self._layout(new.signature)
        leaves, others = old.signature.leaves, new.signature.leaves
        pairs: Iterator[tuple[tuple[str, int], Leaf | None, Leaf | None]]
        if before is after:
            pairs = ((place, leaves[n], others[n]) for place, n in before.items() if leaves[n] is not others[n])
        else:
            was_at, now_at = dict(zip(before, leaves, strict=True)), dict(zip(after, others, strict=True))
            pairs = ((place, was_at.get(place), now_at.get(place)) for place in was_at | now_at)
        for place, was, now in pairs:
            if was is not now and not same_leaf(was, now):
                yield ("leaf", place), _leaf_value(was), _leaf_value(now)
        for number, (one, other) in enumerate(zip(beside(old.signature), beside(new.signature), strict=True)):
            if one != other:
                yield ("beside", number), ("value", one), ("value", other)
        settings, changed = old.settings or {}, new.settings or {}
        if settings is not changed:
            for name in settings.keys() | changed.keys():
                if settings.get(name) != changed.get(name):
                    yield ("setting", name), ("value", settings.get(name)), ("value", changed.get(name))


_TWO_WAYS = {"static 3", "static 5"}


def _kind(like: _Value, fields: Collection[int]) -> _Kind:
    return _Kind(like, tuple(sorted(fields)), itemgetter(*(n for n in range(len(like)) if n not in fields)))


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


def _nothing(_: object) -> None:
    return None


def _subsets(fields: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for count in range(len(fields) + 1):
        yield from combinations(fields, count)
