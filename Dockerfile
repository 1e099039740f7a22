ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_NO_COMPILE=1 PYTHONHASHSEED=0
WORKDIR /build
# The tools that build live in an environment of their own, which stays behind in this stage.
COPY requirements/build.lock requirements/
RUN python -m venv tools \
    && tools/bin/pip install --quiet --require-hashes --no-deps -r requirements/build.lock
# The packages change seldom, the connector often: so they are a layer of their own.
# LOCK=otel adds what makes traces.
ARG LOCK=run
COPY requirements/run.lock requirements/otel.lock requirements/
RUN python -m venv --without-pip /opt/bluesky-genesys \
    && tools/bin/pip --python /opt/bluesky-genesys/bin/python install --quiet \
        --require-hashes --no-deps --only-binary :all: -r requirements/${LOCK}.lock
# What the image is to have: Python, the packages, the libraries they need, a user and empty folders.
COPY supply/collect.py supply/
RUN python supply/collect.py /opt/bluesky-genesys /image/packages \
    && cd /image/packages && mkdir -p dev proc sys run usr/local/bin && install -d -m 1777 tmp \
    && printf '%s\n' 'root:x:0:0::/nonexistent:' 'connector:x:10001:10001::/nonexistent:' > etc/passwd \
    && printf '%s\n' 'root:x:0:' 'connector:x:10001:' > etc/group \
    && install -d -m 0700 /image/state/bluesky-genesys
COPY pyproject.toml README.md ./
COPY runtime/ runtime/
COPY actors/ actors/
COPY sandbox/ sandbox/
COPY connector/ connector/
RUN tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
    && tools/bin/pip --python /opt/bluesky-genesys/bin/python install --quiet \
        --no-deps --no-index --find-links wheels bluesky-genesys \
    && python supply/collect.py /opt/bluesky-genesys /image/connector --beyond /image/packages \
    && mkdir -p /image/connector/usr/local/bin \
    && ln -s /opt/bluesky-genesys/bin/bluesky-genesys /image/connector/usr/local/bin/

FROM scratch
COPY --from=build /image/packages/ /
COPY --from=build --chown=10001:10001 /image/state/ /var/lib/
COPY --from=build /image/connector/ /
ENV PATH=/usr/local/bin:/opt/bluesky-genesys/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIR=/var/lib/bluesky-genesys
USER 10001:10001
WORKDIR /var/lib/bluesky-genesys
VOLUME /var/lib/bluesky-genesys
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/opt/bluesky-genesys/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '8080') + '/livez', timeout=4)"]
ENTRYPOINT ["bluesky-genesys"]
CMD ["run"]
