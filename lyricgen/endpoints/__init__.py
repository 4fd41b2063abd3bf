"""The API's endpoints, one function each: typed, free of gradio, called by page, HTTP and shell.

Each takes the `Resources` first, then the endpoint's parameters; a `model` or `vectors` of None is the default of what is
loaded. The answers are plain values. An endpoint raises ArgumentError where an argument lies outside what is allowed, and
ModelError or VectorsError where what it needs could not be loaded.
"""
