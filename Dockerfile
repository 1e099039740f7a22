ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
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
COPY pyproject.toml README.md ./
COPY runtime/ runtime/
COPY actors/ actors/
COPY sandbox/ sandbox/
COPY connector/ connector/
RUN tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
    && tools/bin/pip --python /opt/bluesky-genesys/bin/python install --quiet \
        --no-deps --no-index wheels/*.whl

FROM ${BASE_IMAGE}
# Debian starts a service when it is installed; the embedded store starts its own redis-server.
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
    && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d
RUN groupadd --gid 10001 connector \
    && useradd --uid 10001 --gid connector --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin connector \
    && install -d -o connector -g connector -m 0700 /var/lib/bluesky-genesys
COPY --from=build /opt/bluesky-genesys /opt/bluesky-genesys
RUN ln -s /opt/bluesky-genesys/bin/bluesky-genesys /usr/local/bin/bluesky-genesys
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIR=/var/lib/bluesky-genesys
USER connector
WORKDIR /var/lib/bluesky-genesys
VOLUME /var/lib/bluesky-genesys
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/opt/bluesky-genesys/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '8080') + '/livez', timeout=4)"]
ENTRYPOINT ["bluesky-genesys"]
CMD ["run"]
