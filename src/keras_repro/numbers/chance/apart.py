"""Seeds that lie apart: without a finite number, or so far out that the training has failed."""

import numpy as np

from keras_repro.numbers.differences import Array

FAR = 10.0  # robust standard deviations from the median
FEWEST = 10  # seeds, from which on the median and the deviations from it tell what is far
LARGEST = 1e100  # beyond it squares overflow, and no training has such a cost
TO_SD = 1.4826  # of normal values, times the median absolute deviation, is the standard deviation


def ordinary(values: Array) -> Array:
    """Return which seeds do not lie apart, as booleans; ``values`` is [seeds], float64.

    A few seeds that fail to train have a mean and a standard deviation of their own. Left among the
    others they make the deviation so large that everything is within it. So they are counted, and
    the others compared: of ten or more finite values those apart are further from the median than
    ten times 1.4826 times the median absolute deviation (Leys and others, 2013,
    doi:10.1016/j.jesp.2013.03.013, who call three conservative). Of normal values that is 1 in
    5,000 of 10 seeds and none of 30. Where half of the seeds give one number, nothing is far.
    """
    with np.errstate(invalid="ignore"):
        finite = np.abs(values) <= LARGEST
    if finite.sum() < FEWEST:
        return np.asarray(finite)
    distances = np.abs(values - np.median(values[finite]))
    far = FAR * TO_SD * np.median(distances[finite])
    if far == 0:
        return np.asarray(finite)
    return np.asarray(finite & (np.where(finite, distances, np.inf) <= far))
