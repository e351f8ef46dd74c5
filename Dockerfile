# The image of loadgrid: one static binary, without a shell, not run as root.
#
#   docker build -t loadgrid --build-arg VERSION="$(git describe --tags --always --dirty)" .
#   docker run --rm -e LOADGRID_DSN=postgres://... loadgrid load --table grid ...
#
# It works with the classic builder and with BuildKit. `make dist` makes the same image without an
# engine, from the same program, with the same bytes each time: see scripts/dist/image.go.
ARG GO_IMAGE=golang:1.26
ARG BASE_IMAGE=scratch

FROM ${GO_IMAGE} AS build
# How Go fetches modules, as on the building machine; empty means Go's default.
ARG GOPROXY
ARG GOSUMDB
ARG GONOSUMDB
ARG GOPRIVATE
ARG GOFLAGS
ARG VERSION
WORKDIR /src
# Modules first: they change less often than the sources.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN set -eu; \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" \
      -o /out/loadgrid ./cmd/loadgrid; \
    certificates=/etc/ssl/certs/ca-certificates.crt; \
    if [ -f "$certificates" ]; then \
      mkdir -p /out/etc/ssl/certs; cp "$certificates" /out/etc/ssl/certs/; \
    fi

FROM ${BASE_IMAGE}
ARG VERSION
LABEL org.opencontainers.image.title="loadgrid" \
      org.opencontainers.image.description="Fills PostGIS with grids" \
      org.opencontainers.image.source="https://github.com/loadgrid/loadgrid" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/ /
# A number, so that an engine can see that it is not root. The user need not exist.
USER 65532:65532
ENTRYPOINT ["/loadgrid"]
CMD ["--help"]
