# syntax=docker/dockerfile:1
# Stage 1: the programs, with the Swift runtime in them.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install --no-install-recommends -y libsqlite3-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN for program in wsm-server wsm-apply; do \
        swift build -c release --static-swift-stdlib --product "$program" || exit 1; \
    done \
    && bin=$(swift build -c release --static-swift-stdlib --show-bin-path) \
    && install -D -m 755 -t /out "$bin/wsm-server" "$bin/wsm-apply" \
    && strip /out/*

# Stage 2: what runs.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --no-install-recommends -y ca-certificates libsqlite3-0 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65532 -g 65532 -m 700 /var/lib/wsm
COPY --from=build /out/ /usr/bin/
USER 65532:65532
ENV WSM_DATA_DIR=/var/lib/wsm
VOLUME /var/lib/wsm
EXPOSE 5001 5002
# SIGTERM begins the drain.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/wsm-server"]
