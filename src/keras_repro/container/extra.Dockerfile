# A backend's image with the packages that a script needs besides. The context holds their lock.
ARG BASE
ARG UV
FROM ${UV} AS uv

FROM ${BASE}
COPY requirements.txt /opt/keras-repro/extra-requirements.txt
RUN --mount=type=bind,from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv uv pip install --require-hashes --no-deps \
      --compile-bytecode -r /opt/keras-repro/extra-requirements.txt
ENV KERAS_REPRO_EXTRA_REQUIREMENTS=/opt/keras-repro/extra-requirements.txt
ARG BASE_ID=""
LABEL io.keras-repro.base="${BASE_ID}"
