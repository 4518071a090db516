# One image per backend: docker compose build theano. The context is the package, src/keras_repro.
# No "# syntax=" line, so that BuildKit
# fetches no frontend; what is used here works in the one that Docker carries.

ARG PYTHON_VERSION=3.11

# uv installs for every Python, and is itself installed, hash-checked, by pip.
FROM python:3.11-slim-bookworm AS uv
COPY packages/uv.txt /tmp/uv.txt
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    pip install --require-hashes --no-deps -r /tmp/uv.txt

FROM python:${PYTHON_VERSION}-slim-bookworm AS base
ARG APT_PACKAGES=""
RUN --mount=type=bind,source=container/debian.sh,target=/run/debian.sh sh /run/debian.sh $APT_PACKAGES

# The backend's packages. The second try is for PyTorch's CPU build where no wheel folder has it.
FROM base AS environment
ARG BACKEND
COPY --from=uv /usr/local/bin/uv /usr/local/bin/uv
COPY packages/build-constraints.txt \
     backends/${BACKEND}/requirements.txt /build/
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=/opt/venv
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    install() { \
      uv pip install --require-hashes --compile-bytecode \
        --build-constraints /build/build-constraints.txt -r /build/requirements.txt "$@"; \
    }; \
    uv venv --python python3 /opt/venv && { install || install --torch-backend=cpu; }
# Here, and not in the image: what a later layer removes, an image carries all the same.
RUN --mount=type=bind,source=container/slim.sh,target=/run/slim.sh sh /run/slim.sh /opt/venv

FROM base AS backend
ARG BACKEND
ARG KERAS_BACKEND
COPY --from=environment /opt/venv /opt/venv
COPY backends/${BACKEND}/keras.json /home/keras/.keras/keras.json
COPY backends/${BACKEND}/requirements.txt /opt/keras-repro/requirements.txt
COPY __init__.py record.py /opt/keras-repro/keras_repro/
COPY recorder /opt/keras-repro/keras_repro/recorder
COPY workloads /opt/keras-repro/keras_repro/workloads
COPY container/entrypoint.sh container/warm.sh /opt/keras-repro/
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/keras-repro LANG=C.UTF-8 \
    HOME=/home/keras KERAS_HOME=/home/keras/.keras \
    KERAS_REPRO_BACKEND=${BACKEND} KERAS_REPRO_KERAS_BACKEND=${KERAS_BACKEND} \
    KERAS_REPRO_REQUIREMENTS=/opt/keras-repro/requirements.txt KERAS_REPRO_ENGINE=docker
# Train the regression once: a broken image does not build, and a run finds warm caches.
RUN chmod 755 /opt/keras-repro/*.sh && /opt/keras-repro/warm.sh && chmod o+x /root
# Mounts of /artifacts and /cache lie in a folder that the script's user cannot enter.
RUN mkdir -m 0710 /private && chown 0:61337 /private && mkdir -m 1777 /private/artifacts /private/cache \
    && ln -s /private/artifacts /private/cache /

ARG SOURCE_SHA256=""
ARG VERSION=""
LABEL org.opencontainers.image.title="keras-repro ${BACKEND}" \
      org.opencontainers.image.description="Runs a Keras script, seeded, and keeps every number" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      io.keras-repro.backend="${BACKEND}" \
      io.keras-repro.source="${SOURCE_SHA256}"
WORKDIR /work
ENTRYPOINT ["/opt/keras-repro/entrypoint.sh"]
