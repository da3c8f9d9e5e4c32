# Sourced by dist_train.sh and dist_test.sh.
# usage: launch PROCESSES SCRIPT [ARGS...]
#
# One machine: torchrun finds a free port by itself, unless PORT says which.
# Several: set NNODES, NODE_RANK, MASTER_ADDR (and PORT) on each of them.

launch() {
    local processes=$1 script=$2
    shift 2
    local tools root
    tools=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
    root=$(dirname -- "$tools")

    local meeting=(--standalone)
    if [[ "${NNODES:-1}" != 1 || -n "${PORT:-}" ]]; then
        meeting=(
            --nnodes="${NNODES:-1}"
            --node_rank="${NODE_RANK:-0}"
            --master_addr="${MASTER_ADDR:-127.0.0.1}"
            --master_port="${PORT:-29500}"
        )
    fi

    # Without it every process takes all cores; torchrun would set 1 with a warning.
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
    export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
    # -P: nothing is imported from the current folder. The launcher replaces this
    # shell, so that a signal reaches it, and what it starts ends with it.
    exec "${PYTHON:-python}" -P "$tools/launch.py" "${meeting[@]}" \
        --nproc_per_node="$processes" "$tools/$script" "$@" --launcher pytorch
}
