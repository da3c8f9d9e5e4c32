#!/usr/bin/env bash
# Test with several processes, one for each GPU (without GPUs: gloo on CPU).
# usage: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail

if (($# < 3)); then
    echo "usage: bash $0 CONFIG CHECKPOINT GPUS [options of tools/test.py]" >&2
    exit 2
fi
config=$1
checkpoint=$2
gpus=$3
shift 3

# shellcheck source=tools/launch.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/launch.sh"
launch "$gpus" test.py "$config" "$checkpoint" "$@"
