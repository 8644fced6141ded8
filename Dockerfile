# The service of fasttransfer on a CPU: docs/service.md. Runs without root, and on a read-only file system.
#
#     docker build -t fasttransfer --build-arg TORCH_INDEX=URL .
#
# URL is the index that the PyTorch selector shows for CPU; without it, gigabytes of CUDA come along.
FROM python:3.12-slim

ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch torchvision

COPY pyproject.toml README.md LICENSE /src/
COPY conf /src/conf
COPY fasttransfer /src/fasttransfer
RUN pip install --no-cache-dir "/src[serve,fast]" && rm -r /src

RUN useradd --uid 10001 --create-home fasttransfer
USER fasttransfer
WORKDIR /home/fasttransfer
EXPOSE 8643
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8643/health', timeout=5)"]
ENTRYPOINT ["fasttransfer"]
CMD ["serve", "--host", "0.0.0.0"]
