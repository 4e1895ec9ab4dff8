# Installs what the requirements.txt of a program in Python locks, into an environment of its own.
# Called in the program's folder, with CACHE_DIR.
set -e
python3 -m venv "$CACHE_DIR"
"$CACHE_DIR/bin/python" -m pip install --quiet --disable-pip-version-check \
  --no-deps --require-hashes -r requirements.txt
