# A backend's image with some packages in other versions. The context holds the lock, and in site/
# the packages that differ.
ARG BASE
ARG UV
FROM ${UV} AS uv

FROM ${BASE}
ARG REMOVED
ARG PYTHON_VERSION
RUN --mount=type=bind,from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    [ -z "$REMOVED" ] || VIRTUAL_ENV=/opt/venv uv pip uninstall --quiet $REMOVED
COPY requirements.txt /opt/keras-repro/requirements.txt
COPY site/ /opt/venv/lib/python${PYTHON_VERSION}/site-packages/
# Theano's compilations are of the packages that they were made with.
RUN cd /opt/keras-repro && rm -rf warm/theano warm-class theano-headers && { cat cache-key requirements.txt; } | sha256sum \
    | cut -c 1-16 | sed "s/^/$KERAS_REPRO_BACKEND-/" > new-key && mv new-key cache-key
ARG BASE_ID=""
LABEL io.keras-repro.base="${BASE_ID}"
