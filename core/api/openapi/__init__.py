"""The description of the API (OpenAPI 3.1), built from what the views declare about themselves.

A view says in `operations` what each of its methods answers (`Operation`), in the words of
`core.api.schemas`. What it takes is read from its serializer, because a field knows what it accepts.
"""

from core.api.openapi.operation import Operation

__all__ = ["Operation"]
