# The program without a database: docker-compose.yml brings that.

FROM python:3.12-slim AS build
WORKDIR /source
RUN python -m venv /venv
COPY requirements.txt ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY geo geo
COPY data data
COPY maps maps
COPY etl etl
COPY api api
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
# Grid sheets are printed in it.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --home-dir /home/gridgov gridgov \
    && install --directory --owner=gridgov /home/gridgov/data
COPY --from=build /venv /venv
USER gridgov
# Compiled functions are kept where this user may write.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/home/gridgov/numba GRIDGOV_DATA_DIR=/home/gridgov/data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["gridgov"]
CMD ["serve", "--host", "0.0.0.0"]
