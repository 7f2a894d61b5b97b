# syntax=docker/dockerfile:1
# The API as a container image. SQLite, libpq and OpenSSL are compiled in, so the image needs only the C library.
#
#   docker build --tag latchkey-api .
#   docker run --env-file .env --publish 8000:8000 --volume latchkey-data:/data latchkey-api
#
# docs/reference/configuration.md lists the variables. `docker run … latchkey-api check --deploy` runs another subcommand.

# The same Debian release as below: a binary needs the C library that it was linked with, or a newer one.
FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY crates crates
COPY examples examples
COPY migrations migrations
# The image has the toolchain that rust-toolchain.toml names. Setting it here keeps rustup from installing the components and targets.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin api && cp target/release/api /api

FROM debian:bookworm-slim
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/latchkey/
COPY --from=build /api /usr/local/bin/api
# A user without a name, a home or a shell. Kubernetes' runAsNonRoot can only check a numeric user.
RUN install --directory --owner=65532 --group=65532 /data
USER 65532:65532
WORKDIR /data
ENV APP_ENV=production PORT=8000
EXPOSE 8000
VOLUME /data
# Healthy means ready: the database is reachable and its schema is current.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]"]
ENTRYPOINT ["api"]
CMD ["serve"]
