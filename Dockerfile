# One image for web, sockets, every worker and every job: the compose file and deploy/kubernetes choose the command.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# pip stays outside of the environment that the image gets.
RUN python3 -m venv /opt/tools \
    && /opt/tools/bin/pip install --quiet pip==26.3 cyclonedx-bom==7.5.0 pip-licenses==5.5.5 \
    && python3 -m venv --without-pip /opt/stockbridge
COPY requirements-image.txt /build/
RUN /opt/tools/bin/pip --python /opt/stockbridge/bin/python3 install --quiet --no-compile -r /build/requirements-image.txt \
    && /opt/tools/bin/pip --python /opt/stockbridge/bin/python3 check \
    && /opt/stockbridge/bin/python3 -m compileall -q -j 0 /opt/stockbridge/lib
# What is in it: a bill of materials for scanners, and the licences with their texts.
RUN mkdir -p /opt/stockbridge/share/sbom \
    && /opt/tools/bin/cyclonedx-py environment --output-reproducible \
        --output-file /opt/stockbridge/share/sbom/python.cdx.json /opt/stockbridge/bin/python3 \
    && /opt/tools/bin/pip-licenses --python=/opt/stockbridge/bin/python3 --from=mixed --with-system \
        --with-license-file --no-license-path --format=plain-vertical \
        --output-file=/opt/stockbridge/share/sbom/licences.txt
COPY . /app
WORKDIR /app
# Static files under names with fingerprints, and bytecode, so that the file system can be read-only.
RUN env SECRET_KEY=only-while-the-image-is-built-0123456789abcdef PLAIN_HTTP=true STATIC_ROOT=/app/static \
        DATABASE_URL=postgres://build@127.0.0.1:1/build MONGODB_URI=mongodb://127.0.0.1:1/build KAFKA_BROKERS=127.0.0.1:1 \
        /opt/stockbridge/bin/python3 manage.py collect_changed_static \
    && /opt/stockbridge/bin/python3 -m compileall -q -j 0 /app

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Stockbridge" \
      org.opencontainers.image.description="Orders in PostgreSQL and stock in MongoDB, kept in step over Kafka." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/stockbridge/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/app/static \
    DJANGO_SETTINGS_MODULE=config.settings HOME=/tmp
COPY --from=build /opt/stockbridge /opt/stockbridge
COPY --from=build /app /app
# New volumes take over the owner of the folder on which they are mounted.
RUN mkdir -p /data /secrets/app /secrets/postgres /secrets/mongodb /secrets/grafana \
    && chown -R 10001:10001 /data /secrets
WORKDIR /app
USER 10001:10001
EXPOSE 8000 8001 9100
CMD ["python3", "-m", "web.server", "--host", "0.0.0.0", "--port", "8000", "config.wsgi:application"]
