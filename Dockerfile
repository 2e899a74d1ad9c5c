# The app on port 7860: docker build -t virtus . && docker run --rm -p 7860:7860 virtus
# See docs/deploy.md for CPU-only torch, other checkpoints, and running it behind a proxy.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
# An index of CPU-only builds of torch and torchvision (both, so that they fit). Left empty, both come from where
# everything else does, with 4 GB of CUDA's libraries.
ARG TORCH_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/virtus
ENV PATH=/opt/virtus/bin:$PATH
WORKDIR /src
COPY requirements.txt constraints.txt ./
RUN grep -E '^torch(vision)?[>=<]' requirements.txt > torch.txt \
    && pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} -r torch.txt -c constraints.txt \
    && pip install -r requirements.txt -c constraints.txt
COPY pyproject.toml setup.py README.md LICENSE ./
COPY virtus virtus
COPY assets assets
RUN pip install --no-deps .

FROM python:${PYTHON_VERSION}-slim
RUN useradd --create-home --uid 1000 virtus
COPY --from=build /opt/virtus /opt/virtus
COPY deploy/start.sh /opt/virtus/bin/start-virtus
ENV PATH=/opt/virtus/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GRADIO_TEMP_DIR=/tmp/virtus \
    MPLCONFIGDIR=/tmp/matplotlib \
    HF_HOME=/home/virtus/hub \
    VIRTUS_CHECKPOINT=
USER 1000
WORKDIR /home/virtus
# Made here so that a volume mounted on it belongs to the user.
RUN mkdir hub
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=4)"]
ENTRYPOINT ["start-virtus"]
