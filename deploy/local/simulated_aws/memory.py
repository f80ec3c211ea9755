"""What moto and botocore work out anew for every service, request or attribute, and what never changes."""

import threading
from functools import lru_cache

from botocore.loaders import Loader
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.serialize import AttributePicker, XFormedAttributePicker


def fill(moto):
    # moto reads the directory of its modules for every request.
    moto.get_backend_for_host = lru_cache(maxsize=None)(moto.get_backend_for_host)
    responses.method_names_from_class = lru_cache(maxsize=None)(responses.method_names_from_class)
    Loader.list_available_services = listed_once(Loader.list_available_services)
    BackendDict._create_account_specific_backend = unless_there(BackendDict._create_account_specific_backend)
    for picker in (AttributePicker, XFormedAttributePicker):
        picker.get_possible_keys = remembered(picker.get_possible_keys)


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


def remembered(possible_keys):
    """The names under which an attribute may be found: they follow from the kind of object and the place in AWS's model."""
    known = {}

    def get_possible_keys(picker, context):
        parent = getattr(context.shape, "parent", None)
        place = (
            type(context.obj),
            context.key,
            context.service_model and context.service_model.service_name,
            parent and parent.name,
            context.shape and (context.shape.name, context.shape.serialization.get("name")),
            tuple(picker.alias_providers),
        )
        keys = known.get(place)
        if keys is None:
            keys = known[place] = tuple(dict.fromkeys(possible_keys(picker, context)))
        return keys

    return get_possible_keys
