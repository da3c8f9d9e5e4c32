#!/usr/bin/env bash
# Train with several processes, one for each GPU (without GPUs: gloo on CPU).
# usage: bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail

if (($# < 2)); then
    echo "usage: bash $0 CONFIG GPUS [options of tools/train.py]" >&2
    exit 2
fi
config=$1
gpus=$2
shift 2

# shellcheck source=tools/launch.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/launch.sh"
launch "$gpus" train.py "$config" "$@"
