"""Data that the clock decides, in every way that Python tells the time."""

import datetime
import time
from datetime import date
from datetime import datetime as moment
from time import perf_counter
from time import time as now

from net import train

started = now()
time.sleep(0.01)
day = date.today()
train(
    started,
    now() - started,
    time.time_ns(),
    time.monotonic(),
    perf_counter(),
    time.process_time(),
    time.localtime().tm_min,
    tuple(time.gmtime()),
    time.strftime("%Y-%m-%d %H:%M:%S"),
    time.ctime(),
    time.asctime(),
    time.clock_gettime(time.CLOCK_REALTIME),
    moment.now().isoformat(),
    datetime.datetime.now(datetime.timezone.utc).timestamp(),
    moment.utcnow().isoformat(),
    moment.today().isoformat(),
    (day.year, day.month, day.day),
)
