"""Several pieces of work at a time, each after those that it needs."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait


def run_scheduled(
    needs: Mapping[str, Collection[str]], work: Callable[[str], None], jobs: int
) -> None:
    """Do every piece of work once.

    Of those that are ready the first ones start, so that one job keeps the order.

    Args:
        needs: For each piece, the pieces that must be done before; without circles.
        work: Does a piece, given its name. It runs in a thread.
        jobs: How many run at a time.

    Raises:
        BaseException: What a piece raised, once those that run have ended.
        ValueError: If pieces wait for each other, or for one that is not there.
    """
    waiting = dict(needs)
    running: dict[Future[None], str] = {}
    done: set[str] = set()
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            ready = [name for name in waiting if done.issuperset(waiting[name])]
            for name in ready[: jobs - len(running)]:
                del waiting[name]
                running[pool.submit(work, name)] = name
            if not running:
                raise ValueError(f'{sorted(waiting)} wait for what never comes')
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                done.add(running.pop(future))
