"""Make runs side by side, so many at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from keras_repro.engines import Engine

T = TypeVar("T")


def side_by_side(items: Iterable[T], one: Callable[[T], None], jobs: int, engine: Engine) -> None:
    """Call ``one`` with each item, in threads, ``jobs`` of them at a time.

    KeyboardInterrupt ends what runs at once, and is raised again; what ``one`` raises is, once all
    others are done.
    """
    pool = ThreadPoolExecutor(jobs)
    futures = [pool.submit(one, item) for item in items]
    try:
        wait(futures)
    except BaseException:
        engine.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    for future in futures:
        future.result()
