"""The JSON Schema of a stack file, for editors: what may stand where, with the meaning of each key as hover
text.

Generated from the models, so that it cannot say anything else than they do. In draft 07, which every YAML
language server knows.
"""

from ipaddress import IPv4Network
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from components.spec.stack import Stack
from components.spec.units import Spelled

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_DEFINITIONS: Final = "definitions"


class _Generator(GenerateJsonSchema):
    """Pydantic's generator with defaults in the spelling of the stack file."""

    def encode_default(self, dft: Any) -> Any:
        """A default as one would write it."""
        return str(dft) if isinstance(dft, Spelled | IPv4Network) else super().encode_default(dft)


def stack_schema() -> dict[str, Any]:
    """The schema of what stands under `halfmetal:stack`, with its definitions."""
    generated = Stack.model_json_schema(
        schema_generator=_Generator, ref_template=f"#/{_DEFINITIONS}/{{model}}"
    )
    definitions = generated.pop("$defs")
    cleaned: dict[str, Any] = _clean(generated)
    return {**cleaned, _DEFINITIONS: {name: _clean(each) for name, each in sorted(definitions.items())}}


def stack_file_schema(project: str = "halfmetal") -> dict[str, Any]:
    """The schema of a whole `Pulumi.<stack>.yaml`, the engine's own keys included."""
    stack = stack_schema()
    definitions = stack.pop(_DEFINITIONS)
    return {
        "$schema": _DIALECT,
        "title": "halfmetal stack file",
        "description": "Configuration of one Pulumi stack of halfmetal.",
        "type": "object",
        "properties": {
            "config": {
                "description": "Configuration of the program and of its providers, by namespace and key.",
                "type": "object",
                "properties": {
                    "aws:region": {
                        "description": "AWS region of the default provider; the same as the stack's.",
                        "type": "string",
                    },
                    f"{project}:stack": {"$ref": f"#/{_DEFINITIONS}/Stack"},
                },
                "required": [f"{project}:stack"],
            },
            "secretsprovider": {"description": "What encrypts this stack's secrets.", "type": "string"},
            "encryptedkey": {"description": "Key of the secrets provider, encrypted.", "type": "string"},
            "encryptionsalt": {
                "description": "Salt of the passphrase that encrypts secrets.",
                "type": "string",
            },
            "environment": {
                "description": "Environments that this stack imports.",
                "type": ["array", "object"],
            },
        },
        "required": ["config"],
        "additionalProperties": False,
        _DEFINITIONS: {**definitions, "Stack": stack},
    }


def _clean(schema: Any) -> Any:
    """Without the titles that only repeat a key, in the words of draft 07."""
    if isinstance(schema, list):
        return [_clean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    cleaned = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            cleaned[key] = {name: _clean(each) for name, each in value.items()}
        elif key in {"default", "examples", "enum", "const"}:
            cleaned[key] = value
        elif not (key == "title" and isinstance(value, str)) and key != "discriminator":
            cleaned[key] = _clean(value)
    return _beside_reference(cleaned)


def _beside_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Draft 07 ignores what stands beside a `$ref`, so the reference moves aside."""
    if "$ref" in schema and len(schema) > 1:
        return {"allOf": [{"$ref": schema.pop("$ref")}], **schema}
    return schema
