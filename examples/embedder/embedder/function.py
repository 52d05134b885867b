"""The same app behind Lambda's event format (API Gateway payload 2.0)."""

from mangum import Mangum

from embedder.app import app

handler = Mangum(app, lifespan="off")
