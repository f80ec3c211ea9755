"""What moto and botocore work out anew for every service, request or attribute, and what never changes."""

import threading
from functools import lru_cache

from botocore.loaders import Loader
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.serialize import (
    DEFAULT_ALIAS_PROVIDERS,
    AttributePickerContext,
    ResponseSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import MISSING, get_value


def fill(moto):
    # moto reads the directory of its modules for every request.
    moto.get_backend_for_host = lru_cache(maxsize=None)(moto.get_backend_for_host)
    responses.method_names_from_class = lru_cache(maxsize=None)(responses.method_names_from_class)
    Loader.list_available_services = listed_once(Loader.list_available_services)
    BackendDict._create_account_specific_backend = unless_there(BackendDict._create_account_specific_backend)
    ResponseSerializer.get_value = by_known_names(ResponseSerializer.get_value)


def listed_once(list_available_services):
    """botocore looks into all of its thousand folders for each model that is loaded; several threads would do so at once."""
    lock = threading.Lock()
    known = {}

    def listed(loader, type_name):
        with lock:
            if type_name not in known:
                known[type_name] = list_available_services(loader, type_name)
            return known[type_name]

    return listed


def unless_there(create):
    """moto takes a lock, the only one for all services, for each look at an account."""

    def create_account(backends, account):
        if account not in backends:
            create(backends, account)

    return create_account


def by_known_names(search):
    """An answer's attribute may have several names in moto's objects: which, follows from its place in AWS's model and from
    the kind of object. In a profile of a survey, searching for them anew was a third of the processor time.
    """

    def value_of(serializer, obj, key, shape):
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


def under(names, obj):
    """The value under the first name that there is."""
    for name in names:
        value = obj.get(name, MISSING) if type(obj) is dict else get_value(obj, name, MISSING)
        if value is not MISSING:
            return value
    return None


def names_of(serializer, obj, key, shape):
    context = AttributePickerContext(
        obj=obj,
        key=key,
        shape=shape,
        operation_model=serializer.operation_model,
        service_model=serializer.operation_model.service_model,
    )
    return tuple(dict.fromkeys(serializer._value_picker.get_possible_keys(context)))


def last_words(picker):
    """How the keys end whose values moto changes in some places."""
    try:
        return picker.last_words
    except AttributeError:
        picker.last_words = tuple(path.rpartition(".")[2] for path in picker.response_transformers)
        return picker.last_words


def transformed(serializer, key, value):
    path = f"{'.'.join(serializer.path)}.{key}"
    for place, transform in serializer._value_picker.response_transformers.items():
        if path.endswith(place):
            return transform(value)
    return value
