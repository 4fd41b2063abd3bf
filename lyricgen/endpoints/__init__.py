"""The API's endpoints, one function each: typed, free of gradio, called by page, HTTP and shell.

Each takes the `Resources` first, then the endpoint's parameters; a `model` or `vectors` of None is the default of the
loaded ones. The answers are plain values. An endpoint raises ArgumentError for an argument that is not allowed, and
ModelError or VectorsError where a model, index or vector space could not be loaded.
"""
