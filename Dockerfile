# One image, a command per process:
#   python -m app                the web pages (8501)
#   python -m mcp_server --http  the MCP server (8503)
#   python -m jobs worker        checks, imports, maintenance
#   python -m jobs migrate       once, before the others
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt constraints.txt ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin amazcope \
    && install -d -o amazcope -g amazcope -m 0750 /data
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/amazcope
COPY .streamlit .streamlit
COPY core core
COPY app app
COPY pages pages
COPY jobs jobs
COPY mcp_server mcp_server
COPY pyproject.toml .
RUN /opt/venv/bin/python -m compileall -q core app pages jobs mcp_server
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    AMAZCOPE_DATA_DIR=/data \
    AMAZCOPE_HOST=0.0.0.0 \
    AMAZCOPE_DEMO=false
USER amazcope
VOLUME /data
EXPOSE 8501 8503
# For the web pages; give other processes their own health check, or none.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
CMD ["python", "-m", "app"]
