"""The placement rules as admission policies of Kubernetes, made from the rules: none is written twice.

`exploring` asks a rule all that it can be asked and keeps the answers as a tree; `cel` writes such a tree in
the language of the API server; `manifests` makes a stack's policies, bindings and parameters of it.
"""
