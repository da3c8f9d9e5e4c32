#!/bin/sh
# usage: newest_venv.sh PYTHON
# An environment with the newest release of everything that requirements/runtime.txt
# admits, without setuptools, for a Python other than that of the tested set. It lies
# outside of the checkout, under the hash of what it was made from, so that it is made
# once. Prints its folder; prints nothing where there is no such Python.
set -eu
python=$1
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || {
    echo "skipped: there is no $python here" >&2
    exit 0
}
requirements='requirements/runtime.txt requirements/dev.txt requirements/export.txt'
hash=$(cat $requirements tools/newest_venv.sh | sha256sum | cut -c 1-12)
folder="${MMKD_ENVIRONMENTS:-$HOME/.cache/mmkd/environments}/$version-$hash"
if [ ! -e "$folder/installed" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    "$python" -m venv "$folder" >&2
    grep -v '^setuptools' requirements/runtime.txt >"$folder/newest.txt"
    pip="$folder/bin/python -m pip --disable-pip-version-check"
    $pip install --quiet -r "$folder/newest.txt" -r requirements/dev.txt \
        -r requirements/export.txt >&2
    # torch brings it along. mmkd must do without; so must what mmkd patches.
    $pip uninstall --quiet --yes setuptools >&2
    if ! "$folder/bin/python" -c 'import cv2' 2>/dev/null; then
        $pip uninstall --quiet --yes opencv-python opencv-contrib-python >&2
        $pip install --quiet --no-deps opencv-python-headless >&2
    fi
    touch "$folder/installed"
fi
echo "$folder"
