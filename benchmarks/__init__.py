"""Measurements: one command a question, each printing ratios against a peer measured in the same run.

python -m benchmarks.quality --data songdata/     bits per character of the bundled models, from their files
python -m benchmarks.generation                   characters a second, against nn.LSTM and the notebook's loop
python -m benchmarks.startup                      seconds to the first answered request, against the bare imports
"""
