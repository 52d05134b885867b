"""API Gateway v2: HTTP and WebSocket APIs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.table.common import map_tags
from sandbox.aws.provider.table.model import Autoname, Call, Entry, Find, Read, Scope, Tags, Wait
from sandbox.aws.provider.values import Bag

_MISSING = ("NotFoundException",)
_BUSY = ("ConflictException", "TooManyRequestsException")
_OF_API = {"ApiId": "{apiId}"}


def _arn(rest: str) -> str:
    return f"arn:{{partition}}:apigateway:{{region}}::/{rest}"


def _tags(arn: str) -> Tags:
    # GetApi and its like show tags as well; the emulator shows those of the create there, for ever.
    asked = Read(op="GetTags", args={"ResourceArn": arn}, at="Tags")
    return map_tags("Tags", None, arn, "TagResource", "UntagResource", read_call=asked)


# -- API ---------------------------------------------------------------------------------------------


def _api_failures(inputs: Bag) -> Iterable[Failure]:
    if inputs.get("protocolType") == "WEBSOCKET" and inputs.get("corsConfiguration"):
        yield Failure("corsConfiguration", "is for HTTP APIs only")
    if inputs.get("target") is None:
        for name in ("credentialsArn", "routeKey"):
            if inputs.get(name) is not None:
                yield Failure(name, "is part of a quick create and needs target")


API = Entry(
    token="aws:apigatewayv2/api:Api",
    service="apigatewayv2",
    id="{id}",
    create=Call(op="CreateApi", keep={"id": "ApiId"}),
    then=(
        Call(
            op="UpdateApi",
            args={"ApiId": "{id}"},
            skip=("corsConfiguration",),
            on="update",
        ),
        Call(
            op="UpdateApi",
            args={"ApiId": "{id}"},
            send=("corsConfiguration",),
            on="update",
            unset=Call(op="DeleteCorsConfiguration", args={"ApiId": "{id}"}, send=()),
        ),
    ),
    read=(Read(op="GetApi", args={"ApiId": "{id}"}),),
    delete=(Call(op="DeleteApi", args={"ApiId": "{id}"}, send=(), retry=_BUSY),),
    tags=_tags(_arn("apis/{id}")),
    replace=("credentialsArn", "protocolType", "routeKey", "target"),
    defaults={
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "disableExecuteApiEndpoint": False,
        "routeSelectionExpression": "$request.method $request.path",
    },
    computed=("ipAddressType",),
    write_only=("credentialsArn", "routeKey", "target"),
    unordered=tuple(
        f"corsConfiguration.{name}"
        for name in ("allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders")
    ),
    autoname=Autoname(longest=128),
    derive={
        "arn": _arn("apis/{id}"),
        "executionArn": "arn:{partition}:execute-api:{region}:{account}:{id}",
    },
    missing=_MISSING,
    find=Find(op="GetApis", items="Items", resource_id="ApiId", match={"Name": "{name}"}),
    rules=_api_failures,
)


# -- integration, route ------------------------------------------------------------------------------


def _mappings(scope: Scope) -> Bag | None:
    """Response parameters are blocks by status code here, and a map by status code there."""
    blocks = scope.inputs.get("responseParameters")
    if blocks is None:
        dropped: Bag = {block["statusCode"]: {} for block in scope.state.get("responseParameters") or ()}
        return dropped or None
    return {str(block["statusCode"]): dict(block["mappings"]) for block in blocks}


def _mappings_back(integration: Any) -> list[Bag] | None:
    parameters = integration.get("ResponseParameters") or {}
    return [{"statusCode": code, "mappings": mappings} for code, mappings in parameters.items() if mappings]


def _integration_failures(inputs: Bag) -> Iterable[Failure]:
    kind, uri = inputs.get("integrationType"), inputs.get("integrationUri")
    if (
        kind in ("AWS_PROXY", "HTTP_PROXY", "HTTP", "AWS")
        and uri is None
        and not inputs.get("integrationSubtype")
    ):
        yield Failure("integrationUri", f"is required for an integration of type {kind}")
    if inputs.get("connectionType") == "VPC_LINK" and inputs.get("connectionId") is None:
        yield Failure("connectionId", "is required with connectionType VPC_LINK: the id of the VPC link")


INTEGRATION = Entry(
    token="aws:apigatewayv2/integration:Integration",
    service="apigatewayv2",
    id="{id}",
    create=Call(
        op="CreateIntegration",
        args={"ResponseParameters": _mappings},
        uses=("responseParameters",),
        keep={"id": "IntegrationId"},
        retry=_BUSY,
    ),
    names={"timeoutMilliseconds": "TimeoutInMillis"},
    then=(
        Call(
            op="UpdateIntegration",
            args={**_OF_API, "IntegrationId": "{id}", "ResponseParameters": _mappings},
            uses=("responseParameters",),
            on="update",
            retry=_BUSY,
        ),
    ),
    read=(
        Read(
            op="GetIntegration",
            args={**_OF_API, "IntegrationId": "{id}"},
            into={"responseParameters": _mappings_back},
        ),
    ),
    delete=(Call(op="DeleteIntegration", args={**_OF_API, "IntegrationId": "{id}"}, send=(), retry=_BUSY),),
    import_id="{apiId}/{id}",
    replace=("apiId", "integrationSubtype", "integrationType"),
    defaults={"connectionType": "INTERNET", "payloadFormatVersion": "1.0"},
    computed=("integrationMethod", "passthroughBehavior", "timeoutMilliseconds"),
    emulator_gaps={
        "connectionId": "UpdateIntegration does not take it away",
        "credentialsArn": "CreateIntegration and UpdateIntegration do not keep it",
    },
    unordered=("responseParameters",),
    missing=_MISSING,
    find=Find(
        op="GetIntegrations",
        args=_OF_API,
        items="Items",
        resource_id="IntegrationId",
        match={
            "IntegrationType": "{integrationType}",
            "IntegrationUri": "{integrationUri}",
            "ConnectionId": "{connectionId}",
            "PayloadFormatVersion": "{payloadFormatVersion}",
        },
    ),
    rules=_integration_failures,
)

ROUTE = Entry(
    token="aws:apigatewayv2/route:Route",
    service="apigatewayv2",
    id="{id}",
    create=Call(op="CreateRoute", keep={"id": "RouteId"}, retry=("TooManyRequestsException",)),
    refused=("requestParameters",),
    then=(
        Call(
            op="UpdateRoute",
            args={**_OF_API, "RouteId": "{id}"},
            on="update",
            retry=("TooManyRequestsException",),
        ),
    ),
    read=(Read(op="GetRoute", args={**_OF_API, "RouteId": "{id}"}),),
    delete=(Call(op="DeleteRoute", args={**_OF_API, "RouteId": "{id}"}, send=(), retry=_BUSY),),
    import_id="{apiId}/{id}",
    replace=("apiId",),
    identity=("apiId", "routeKey"),
    defaults={"apiKeyRequired": False, "authorizationType": "NONE"},
    unordered=("authorizationScopes",),
    missing=_MISSING,
    exists=("ConflictException",),
    find=Find(
        op="GetRoutes", args=_OF_API, items="Items", resource_id="RouteId", match={"RouteKey": "{routeKey}"}
    ),
)


# -- stage, deployment -------------------------------------------------------------------------------


def _route_settings(scope: Scope) -> Bag | None:
    blocks = scope.inputs.get("routeSettings")
    if not blocks:
        return {} if scope.state.get("routeSettings") else None
    return {
        block["routeKey"]: {
            name[0].upper() + name[1:]: value for name, value in block.items() if name != "routeKey"
        }
        for block in blocks
    }


def _route_settings_back(stage: Any) -> list[Bag]:
    return [
        {"routeKey": key, **{name[0].lower() + name[1:]: value for name, value in settings.items()}}
        for key, settings in (stage.get("RouteSettings") or {}).items()
    ]


def _invoke_url(scope: Scope) -> str:
    stage, api = scope.get("name"), scope.get("apiId")
    endpoint = str(scope.call("GetApi", ApiId=api).get("ApiEndpoint") or "").rstrip("/")
    return f"{endpoint}/" + ("" if stage == "$default" else str(stage))


_STAGE = {**_OF_API, "StageName": "{id}"}

STAGE = Entry(
    token="aws:apigatewayv2/stage:Stage",
    service="apigatewayv2",
    id="{name}",
    create=Call(
        op="CreateStage",
        args={"StageName": "{name}", "RouteSettings": _route_settings},
        uses=("routeSettings",),
        retry=("TooManyRequestsException",),
    ),
    names={"name": "StageName"},
    then=(
        Call(
            op="UpdateStage",
            args={**_STAGE, "RouteSettings": _route_settings},
            uses=("routeSettings",),
            on="update",
            retry=_BUSY,
        ),
        # The emulator takes DeleteAccessLogSettings and DeleteRouteSettings for DeleteStage, so both are
        # emptied by an update, which it replaces them with.
        Call(
            op="UpdateStage",
            args=_STAGE,
            send=("accessLogSettings",),
            on="update",
            unset=Call(op="UpdateStage", args={**_STAGE, "AccessLogSettings": lambda _: {}}, send=()),
        ),
    ),
    read=(
        Read(
            op="GetStage",
            args=_STAGE,
            into={"routeSettings": _route_settings_back},
        ),
    ),
    delete=(Call(op="DeleteStage", args=_STAGE, send=(), retry=_BUSY),),
    import_id="{apiId}/{id}",
    tags=_tags(_arn("apis/{apiId}/stages/{id}")),
    replace=("apiId", "name"),
    identity=("apiId", "name"),
    defaults={"autoDeploy": False},
    computed=("deploymentId",),
    empty={"accessLogSettings": None},
    unordered=("routeSettings",),
    autoname=Autoname(longest=128),
    derive={
        "arn": _arn("apis/{apiId}/stages/{id}"),
        "executionArn": "arn:{partition}:execute-api:{region}:{account}:{apiId}/{id}",
        "invokeUrl": _invoke_url,
    },
    missing=_MISSING,
    exists=("ConflictException",),
)

DEPLOYMENT = Entry(
    token="aws:apigatewayv2/deployment:Deployment",
    service="apigatewayv2",
    id="{id}",
    create=Call(op="CreateDeployment", keep={"id": "DeploymentId"}, retry=_BUSY),
    then=(
        Call(
            op="UpdateDeployment",
            args={**_OF_API, "DeploymentId": "{id}"},
            send=("description",),
            on="update",
        ),
    ),
    read=(Read(op="GetDeployment", args={**_OF_API, "DeploymentId": "{id}"}),),
    delete=(Call(op="DeleteDeployment", args={**_OF_API, "DeploymentId": "{id}"}, send=(), retry=_BUSY),),
    import_id="{apiId}/{id}",
    ready=Wait(
        op="GetDeployment",
        args={**_OF_API, "DeploymentId": "{id}"},
        path="DeploymentStatus",
        until=("DEPLOYED", None),
        fail=("FAILED",),
        why="DeploymentStatusMessage",
    ),
    emulator_gaps={"description": "UpdateDeployment is not implemented"},
    replace=("apiId", "triggers"),
    local=("triggers",),
    missing=_MISSING,
    find=Find(
        op="GetDeployments",
        args=_OF_API,
        items="Items[?!AutoDeployed]",
        resource_id="DeploymentId",
        match={"Description": "{description}"},
    ),
)


# -- authorizer, VPC link ----------------------------------------------------------------------------

AUTHORIZER = Entry(
    token="aws:apigatewayv2/authorizer:Authorizer",
    service="apigatewayv2",
    id="{id}",
    create=Call(op="CreateAuthorizer", keep={"id": "AuthorizerId"}, retry=_BUSY),
    names={
        "identitySources": "IdentitySource",
        "jwtConfiguration.audiences": "Audience",
    },
    then=(Call(op="UpdateAuthorizer", args={**_OF_API, "AuthorizerId": "{id}"}, on="update", retry=_BUSY),),
    read=(Read(op="GetAuthorizer", args={**_OF_API, "AuthorizerId": "{id}"}),),
    delete=(Call(op="DeleteAuthorizer", args={**_OF_API, "AuthorizerId": "{id}"}, send=(), retry=_BUSY),),
    import_id="{apiId}/{id}",
    replace=("apiId",),
    computed=("authorizerResultTtlInSeconds", "authorizerPayloadFormatVersion"),
    emulator_gaps={"authorizerType": "UpdateAuthorizer keeps the type it was made with"},
    unordered=("identitySources", "jwtConfiguration.audiences"),
    autoname=Autoname(longest=128),
    missing=_MISSING,
    find=Find(
        op="GetAuthorizers", args=_OF_API, items="Items", resource_id="AuthorizerId", match={"Name": "{name}"}
    ),
)

VPC_LINK = Entry(
    token="aws:apigatewayv2/vpcLink:VpcLink",
    service="apigatewayv2",
    id="{id}",
    create=Call(op="CreateVpcLink", keep={"id": "VpcLinkId"}),
    then=(Call(op="UpdateVpcLink", args={"VpcLinkId": "{id}"}, send=("name",), on="update"),),
    read=(Read(op="GetVpcLink", args={"VpcLinkId": "{id}"}),),
    delete=(Call(op="DeleteVpcLink", args={"VpcLinkId": "{id}"}, send=(), retry=_BUSY),),
    ready=Wait(
        op="GetVpcLink",
        args={"VpcLinkId": "{id}"},
        path="VpcLinkStatus",
        until=("AVAILABLE",),
        fail=("FAILED", "DELETING"),
        why="VpcLinkStatusMessage",
    ),
    gone=600,
    tags=_tags(_arn("vpclinks/{id}")),
    replace=("securityGroupIds", "subnetIds"),
    unordered=("securityGroupIds", "subnetIds"),
    autoname=Autoname(longest=128),
    derive={"arn": _arn("vpclinks/{id}")},
    missing=_MISSING,
    find=Find(op="GetVpcLinks", items="Items", resource_id="VpcLinkId", match={"Name": "{name}"}),
)

ENTRIES = (API, INTEGRATION, ROUTE, STAGE, DEPLOYMENT, AUTHORIZER, VPC_LINK)
