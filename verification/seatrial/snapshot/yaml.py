"""YAML as Kubernetes reads it: fast where the text is plain, and to the letter of its YAML 1.1 where it is not."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import ryaml
import yaml

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # a build of PyYAML without libyaml: slower, and the same
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

_OLD_SCALARS: Final = re.compile(
    r"""(?mx)
    (?:[:,\[{]|^\s*-|-)[ \t]+        # a value in a mapping, a flow, or an item of a list
    (?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF   # booleans of YAML 1.1
      |[-+]?0[0-7]+                  # octal without an o
      |[-+]?0b[01_]+
      |[-+]?\d[\d_]*_[\d_]*(?:\.\d*)? # digits with underscores
    )[ \t]*(?:[,\]}\#]|\r?$)
    |(?:^[ \t]*|-[ \t]+|[{,][ \t]*)  # keys that are no strings
    (?:[-+.]?\d[\w.+-]*|true|True|TRUE|false|False|FALSE|null|Null|NULL|~
      |y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)[ \t]*:(?:[ \t]|\r?$)
    """
)
"""Plain scalars that YAML 1.1, which Kubernetes reads, takes for something else than YAML 1.2 does, and odd keys."""


class YamlProblem(ValueError):
    """The text is no YAML; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document of a stream; ``line`` is where it begins, counted from 1."""

    value: Any
    line: int


class _Loader(_Base):
    """YAML 1.1 as Kubernetes' parser takes it: no times, no sexagesimal numbers, and a key only once."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
    ]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:y|Y|n|N)$"), list("yYnN"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def _integer(loader: Any, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.lstrip("+"))
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2].lower())
    if base is None and len(digits) > 1 and digits[0] == "0":
        return sign * int(digits, 8)
    return sign * (int(digits[2:], base) if base else int(digits))


def _boolean(loader: Any, node: yaml.ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


def _mapping(loader: Any, node: yaml.MappingNode) -> Iterator[dict[Hashable, Any]]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problem = "expected a name as a key; is this a template that was not rendered?"
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        if key.value in seen and key.value != "<<":
            problem = f"the key {key.value!r} stands there twice"
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        seen.add(key.value)
    value: dict[Hashable, Any] = {}
    yield value
    loader.flatten_mapping(node)
    value.update({_key(loader.construct_object(key)): loader.construct_object(inner) for key, inner in node.value})


def _key(key: Any) -> str:
    """Keys of objects are strings, also where YAML takes them for something else."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _slow(text: str) -> list[Document]:
    loader = _Loader(text)
    found = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                break
            line = node.start_mark.line + 1
            found.append(Document(value=loader.construct_document(node), line=line))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(str(error.problem or error.context), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise YamlProblem(" ".join(str(error).split())[:200], 1) from None
    finally:
        loader.dispose()
    return [document for document in found if document.value is not None]


def documents(text: str) -> list[Document]:
    """Documents of a stream of YAML or JSON; empty ones are left out. Raises YamlProblem with the line.

    Anchors and merge keys are resolved; a key that stands in a mapping twice is an error, as it is for the API server.
    """
    if text.lstrip()[:1] in ("{", "[", '"'):
        try:
            return [Document(value=msgspec.json.decode(text), line=1)]
        except msgspec.DecodeError:
            pass  # a flow of YAML
        except RecursionError:
            raise YamlProblem("nested too deeply", 1) from None
    if "<<" in text or "\t" in text or _OLD_SCALARS.search(text):
        return _slow(text)
    try:
        values = ryaml.loads_all(text) or []
    except (ryaml.InvalidYamlError, ValueError):
        # The other parser says where.
        return _slow(text)
    return [
        Document(value=value, line=line)
        for value, line in zip(values, _starts(text, len(values)), strict=True)
        if value is not None
    ]


def _starts(text: str, count: int) -> list[int]:
    """Lines on which the documents begin; as near as separators tell."""
    if count <= 1:
        return [1] * count
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if line.rstrip() == "---"]
    starts = ([1] if not lines or text.split("\n", 1)[0].rstrip() != "---" else []) + [number + 1 for number in lines]
    return (starts + [starts[-1]] * count)[:count] if starts else [1] * count
