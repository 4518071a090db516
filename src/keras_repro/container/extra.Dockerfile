# A backend's image with the packages that a script needs besides: Debian's, Python's, or both. The
# context holds the list of the first and the lock of the others; BELOW is the base where there are
# none of Debian's.
ARG BASE
ARG BELOW=with-debian
ARG UV
FROM ${UV} AS uv

FROM ${BASE} AS with-debian
RUN --mount=type=bind,target=/run/context sh /run/context/system.sh /run/context/system-packages.txt
ARG BASE_ID=""
LABEL io.keras-repro.base="${BASE_ID}"

FROM ${BELOW} AS with-python
COPY requirements.txt /opt/keras-repro/extra-requirements.txt
RUN --mount=type=bind,from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv uv pip install --require-hashes --no-deps \
      --compile-bytecode -r /opt/keras-repro/extra-requirements.txt
ENV KERAS_REPRO_EXTRA_REQUIREMENTS=/opt/keras-repro/extra-requirements.txt
ARG BASE_ID=""
LABEL io.keras-repro.base="${BASE_ID}"
