#!/bin/sh
# usage: make_venv.sh PYTHON FOLDER REQUIREMENTS
# A virtual environment with a tested set of packages, the tools of development, and
# this checkout in editable form.
set -eu
python=$1 folder=$2 requirements=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: $python is older than Python 3.11. Say make PYTHON=python3.11." >&2
    exit 2
}
"$python" -m venv "$folder"
pip="$folder/bin/python -m pip --disable-pip-version-check"
$pip install --quiet -r "$requirements" -r requirements/dev.txt \
    -r requirements/export.txt
$pip install --quiet --no-deps --no-build-isolation -e .

# Where the system lacks libGL, the headless build of the same version replaces
# the two that mmcv-lite and mmaction2 ask for.
if ! "$folder/bin/python" -c 'import cv2' 2>/dev/null; then
    version=$(sed -n 's/^opencv-python==//p' "$requirements")
    $pip uninstall --quiet --yes opencv-python opencv-contrib-python
    $pip install --quiet --no-deps "opencv-python-headless==$version"
fi
