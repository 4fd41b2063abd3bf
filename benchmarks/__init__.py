"""Measurements: one command a question, each printing ratios against a peer measured in the same run.

python -m benchmarks                              what there is, a line each
python -m benchmarks all                          all that need no songs, one after the other, and their figures as JSON
python -m benchmarks.generation                   characters a second, against nn.LSTM, the notebook's loop and the machine
python -m benchmarks.alternatives                 one character by lyricgen, torch.compile, int8, ONNX Runtime and OpenVINO
python -m benchmarks.prefix                       seconds to the first character behind a prefix, against two other ways
python -m benchmarks.users                        forty users at once through the server, against one alone forty times
python -m benchmarks.training                     characters a second of train.py, against a bare loop and the notebook's
python -m benchmarks.growth                       how things grow: by length, users, size of the songs, vocabulary
python -m benchmarks.startup                      seconds to the first answered request, against the bare imports
python -m benchmarks.vectors                      opening and asking word vectors, against gensim and the bare arithmetic
python -m benchmarks.words                        analogies, similarity and bias of the word vectors
python -m benchmarks.quality --data songdata/     bits per character of the bundled models, from their files
python -m benchmarks.attribution --data songdata/ songs attributed to the right artist, against a common baseline
python -m benchmarks.notebook --data songdata/    the notebook's recipe, given minutes on this machine
"""
