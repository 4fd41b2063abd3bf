"""Measurements: one command a question, each printing ratios against a peer measured in the same run.

python -m benchmarks                              the benchmarks, one line each
python -m benchmarks all                          those that need no songs, in turn; figures also as JSON
python -m benchmarks.generation                   characters a second, against nn.LSTM, the notebook's loop and the machine
python -m benchmarks.alternatives                 one character by lyricgen, torch.compile, int8, ONNX Runtime and OpenVINO
python -m benchmarks.prefix                       seconds to the first character after a prefix, against two other implementations
python -m benchmarks.users                        forty concurrent users of the server, against one user forty times
python -m benchmarks.training                     characters a second of train.py, against a bare loop and the notebook's
python -m benchmarks.growth                       scaling with length, users, size of the songs, vocabulary
python -m benchmarks.startup                      seconds to the first answered request, against the bare imports
python -m benchmarks.vectors                      opening and querying word vectors, against gensim and the bare arithmetic
python -m benchmarks.words                        analogies, similarity and bias of the word vectors
python -m benchmarks.quality --data songdata/     bits per character of the bundled models, beside n-grams and PPMd
python -m benchmarks.attribution --data songdata/ songs attributed to the right artist, against a common baseline
python -m benchmarks.style --data songdata/       lyrics in which the artist that was asked for is recognised, by guidance
python -m benchmarks.notebook --data songdata/    the notebook's recipe, trained for some minutes on this machine
"""
