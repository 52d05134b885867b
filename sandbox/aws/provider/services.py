"""Access to AWS services: their models (for check) and their clients (for everything else).

botocore is imported when the first resource is looked at, not at start, and each service's model and
client is made once. Clients are safe to share between threads; making them is not, hence the lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from sandbox.aws.provider.config import Config
from sandbox.aws.provider.errors import MissingError, ProviderError, RefusedError

if TYPE_CHECKING:
    from botocore.model import ServiceModel, StructureShape

_lock = threading.RLock()


@cache
def _session() -> Any:
    import botocore.session  # noqa: PLC0415  # 300 ms that the handshake with the engine need not wait for

    session = botocore.session.Session()
    # Nothing of the user's own ~/.aws may have a say in where the sandbox's calls go.
    session.set_config_variable("config_file", "/dev/null")
    session.set_config_variable("credentials_file", "/dev/null")
    return session


@cache
def model(service: str) -> ServiceModel:
    """The model of a service, as botocore ships it."""
    with _lock:
        found: ServiceModel = _session().get_service_model(service)
        return found


@cache
def input_shape(service: str, operation: str) -> StructureShape:
    """What an operation takes."""
    shape: StructureShape | None = model(service).operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"{service} {operation} takes nothing")
    return shape


@cache
def output_shape(service: str, operation: str) -> StructureShape | None:
    """What an operation answers."""
    shape: StructureShape | None = model(service).operation_model(operation).output_shape
    return shape


class Services:
    """The clients of one configured provider."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._clients: dict[tuple[str, str], Any] = {}
        self._account = ""

    def call(self, service: str, region: str, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """One call; what goes wrong becomes one line that names the operation."""
        method = getattr(self.client(service, region), _method_name(operation))
        answer: dict[str, Any] = self._guarded(service, operation, lambda: method(**members))
        return answer

    def pages(
        self, service: str, region: str, operation: str, members: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Every page of a listing; one where the operation has no pages."""
        client = self.client(service, region)
        method = _method_name(operation)
        if not client.can_paginate(method):
            return [self.call(service, region, operation, members)]
        pages = client.get_paginator(method)
        found: list[dict[str, Any]] = self._guarded(
            service, operation, lambda: list(pages.paginate(**members))
        )
        return found

    def _guarded(self, service: str, operation: str, work: Callable[[], Any]) -> Any:
        from botocore import exceptions  # noqa: PLC0415  # see _session

        try:
            return work()
        except exceptions.ClientError as error:
            details, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
            raise RefusedError(
                f"{service}:{operation}",
                str(details.get("Code", "Unknown")),
                str(details.get("Message", "")),
                retried=metadata.get("RetryAttempts", 0) > 0,
            ) from error
        except exceptions.ParamValidationError as error:
            report = " ".join(str(error.kwargs.get("report", error)).split())
            raise ProviderError(f"{service}:{operation} cannot be called: {report}") from error
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
            where = self.config.endpoint_of(service)
            raise ProviderError(
                f"{service}:{operation}: the AWS emulator at {where} does not answer "
                f"({type(error).__name__}); `halfmetal sandbox status` says what became of it"
            ) from error
        except exceptions.BotoCoreError as error:
            raise ProviderError(f"{service}:{operation} failed: {error}") from error

    def client(self, service: str, region: str) -> Any:
        """The client of a service in a region."""
        with _lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make(service, region)
            return self._clients[service, region]

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config as ClientConfig  # noqa: PLC0415  # see _session

        settings = ClientConfig(
            retries={"mode": "standard", "max_attempts": self.config.max_attempts},
            max_pool_connections=64,
            connect_timeout=5,
            read_timeout=120,
            proxies={},
            s3={"addressing_style": "path" if self.config.path_style else "auto"},
        )
        return _session().create_client(
            service,
            region_name=region,
            endpoint_url=self.config.endpoint_of(service),
            aws_access_key_id=self.config.access_key,
            aws_secret_access_key=self.config.secret_key,
            aws_session_token=self.config.token or None,
            config=settings,
        )

    @property
    def account(self) -> str:
        """The account of the credentials; asked for once."""
        if not self._account:
            identity = self.call("sts", self.config.region, "GetCallerIdentity", {})
            self._account = str(identity["Account"])
        return self._account


@cache
def _method_name(operation: str) -> str:
    from botocore import xform_name  # noqa: PLC0415  # see _session

    name: str = xform_name(operation)
    return name


def unless_missing(error: RefusedError, codes: tuple[str, ...]) -> Exception:
    """The error to raise: `MissingError` where the code means that there is nothing there."""
    return MissingError(str(error)) if error.code in codes else error
