#!/usr/bin/env bash
# Train on a Slurm cluster, one task for each GPU.
# usage: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [WORK_DIR] [options]
# Environment, with defaults: GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 SRUN_ARGS=""
set -euo pipefail

if (($# < 3)); then
    echo "usage: bash $0 PARTITION JOB_NAME CONFIG [WORK_DIR] [options of tools/train.py]" >&2
    exit 2
fi
partition=$1
job_name=$2
config=$3
shift 3

work_dir=()
if (($# > 0)) && [[ $1 != -* ]]; then
    work_dir=(--work-dir "$1")
    shift
fi

gpus=${GPUS:-8}
gpus_per_node=${GPUS_PER_NODE:-8}
if ((gpus < gpus_per_node)); then
    gpus_per_node=$gpus
fi
read -ra srun_args <<<"${SRUN_ARGS:-}"

tools=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$(dirname -- "$tools")${PYTHONPATH:+:$PYTHONPATH}"
# Jobs that share a machine must not share a port.
export MASTER_PORT="${MASTER_PORT:-$((12000 + RANDOM % 20000))}"

exec srun --partition="$partition" \
    --job-name="$job_name" \
    --gres=gpu:"$gpus_per_node" \
    --ntasks="$gpus" \
    --ntasks-per-node="$gpus_per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 \
    ${srun_args[@]+"${srun_args[@]}"} \
    "${PYTHON:-python}" -u "$tools/train.py" "$config" \
    ${work_dir[@]+"${work_dir[@]}"} "$@" --launcher slurm
