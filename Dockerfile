# mmkd with the tested set of packages.
#   docker build -t mmkd .                                            # CPU
#   docker build -t mmkd --build-arg TORCH=cu128 .                    # CUDA 12.8
#   docker run --rm -v "$PWD/data:/mmkd/data" -v "$PWD/work_dirs:/mmkd/work_dirs" mmkd \
#       train configs/tiny/vspp_r3d_synthetic.py
# With GPUs: docker run --gpus all --shm-size 8g ... (workers share memory).
FROM python:3.11-slim

# Which build of torch: cpu, cu126, cu128, ... as PyTorch's index names them.
ARG TORCH=cpu

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1

WORKDIR /mmkd
COPY requirements.txt requirements.txt

# The headless OpenCV needs no libGL; the other two share its folder.
RUN pip install --extra-index-url "https://download.pytorch.org/whl/${TORCH}" \
        -r requirements.txt \
    && version="$(sed -n 's/^opencv-python==//p' requirements.txt)" \
    && pip uninstall --yes opencv-python opencv-contrib-python \
    && pip install --no-deps "opencv-python-headless==${version}"

COPY . .
RUN pip install --no-deps --no-build-isolation -e . \
    && useradd --create-home mmkd \
    && mkdir -p data work_dirs \
    && chown -R mmkd /mmkd
USER mmkd

ENTRYPOINT ["mmkd"]
CMD ["doctor"]
