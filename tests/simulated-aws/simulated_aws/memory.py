"""What moto and botocore work out anew for every service, request or attribute, and what never changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import Loader
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.constants import MISSING
from moto.core.serialize import (
    DEFAULT_ALIAS_PROVIDERS,
    AttributePickerContext,
    ResponseSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_value
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from . import patches


def fill() -> None:
    for owner, name, remember in (
        (DomainDispatcherApplication, "get_backend_for_host", cache),
        (responses, "method_names_from_class", cache),
        (Loader, "list_available_services", listed_once),
        (BackendDict, "_create_account_specific_backend", unless_there),
        (ResponseSerializer, "get_value", by_known_names),
    ):
        patches.replace(owner, name, remember(getattr(owner, name)))


def listed_once(list_available_services: Callable[..., Any]) -> Callable[..., Any]:
    """botocore looks into all of its thousand folders for each model that is loaded; several threads would do so at once."""
    lock = threading.Lock()
    known = {}

    def listed(loader: Any, type_name: str) -> list[str]:
        with lock:
            if type_name not in known:
                known[type_name] = list_available_services(loader, type_name)
            return known[type_name]

    return listed


def unless_there(create: Callable[..., Any]) -> Callable[..., Any]:
    """moto takes a lock, the only one for all services, for each look at an account."""

    def create_account(backends: Any, account: str) -> None:
        if account not in backends:
            create(backends, account)

    return create_account


def by_known_names(search: Callable[..., Any]) -> Callable[..., Any]:
    """An answer's attribute may have several names in moto's objects: which, follows from its place in AWS's model and from
    the kind of object. In a profile of a survey, searching for them anew was a third of the processor time.
    """

    def value_of(serializer: Any, obj: Any, key: str, shape: Any) -> Any:
        picker = serializer._value_picker
        if type(picker) is not XFormedAttributePicker or picker.alias_providers is not DEFAULT_ALIAS_PROVIDERS:
            return search(serializer, obj, key, shape)
        kind = type(obj)
        try:
            names = shape.names_by_kind[kind]
        except (AttributeError, KeyError):
            names = names_of(serializer, obj, key, shape)
            shape.__dict__.setdefault("names_by_kind", {})[kind] = names
        value = under(names, obj)
        return transformed(serializer, key, value) if key.endswith(last_words(picker)) else value

    return value_of


def under(names: tuple[str, ...], obj: Any) -> Any:
    """The value under the first name that there is."""
    for name in names:
        value = obj.get(name, MISSING) if type(obj) is dict else get_value(obj, name, MISSING)
        if value is not MISSING:
            return value
    return None


def names_of(serializer: Any, obj: Any, key: str, shape: Any) -> tuple[Any, ...]:
    context = AttributePickerContext(
        obj=obj,
        key=key,
        shape=shape,
        operation_model=serializer.operation_model,
        service_model=serializer.operation_model.service_model,
    )
    return tuple(dict.fromkeys(serializer._value_picker.get_possible_keys(context)))


def last_words(picker: Any) -> tuple[str, ...]:
    """How the keys end whose values moto changes in some places."""
    try:
        return picker.last_words
    except AttributeError:
        picker.last_words = tuple(path.rpartition(".")[2] for path in picker.response_transformers)
        return picker.last_words


def transformed(serializer: Any, key: str, value: Any) -> Any:
    path = f"{'.'.join(serializer.path)}.{key}"
    for place, transform in serializer._value_picker.response_transformers.items():
        if path.endswith(place):
            return transform(value)
    return value
