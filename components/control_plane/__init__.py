"""The serverless side: the front door, its functions, the registry, and the guardrails around them."""
