# `make demo` and `make test` do all the set-up they need, on a machine that has
# only git, make and Go.

SHELL := /bin/sh
GO ?= go
PICTURE ?= loadgrid-demo.png
BINARY ?= bin/loadgrid

# The output of `loadgrid version`. Without git, as in an archive of the sources, it is empty,
# and the program prints the version of its Go module.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# The binary needs no C library, so a machine without a C compiler can build it.
export CGO_ENABLED := 0

.PHONY: help build demo dist dist-check test test-servers test-maps test-all soak lint platforms format fuzz fuzz-server vulncheck bench bench-servers bench-row clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

# A Go before 1.21 knows no GOTOOLCHAIN, and cannot read go.mod. A newer one fetches the version that it needs.
build: ## Build bin/loadgrid, stripped, with its version
	@$(GO) env GOTOOLCHAIN 2>/dev/null | grep -q . || \
		{ found=$$($(GO) version 2>/dev/null); \
		echo "make build needs Go $$(sed -n 's/^go //p' go.mod) or newer, and found $${found:-no go command}: see https://go.dev/dl" >&2; exit 1; }
	$(GO) build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o $(BINARY) ./cmd/loadgrid

# The time of the commit, for everything in the artifacts.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
dist: ## Make the artifacts of a release for each platform, in dist/
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(GO) run ./scripts/dist -version '$(VERSION)'

# PLATFORMS='linux/arm64,darwin/arm64' chooses others.
dist-check: ## Make the artifacts of linux/amd64 twice, and fail if they differ
	@sh scripts/dist/check.sh

demo: build ## Load a grid into a throwaway PostGIS, ask it questions, draw it
	@sh scripts/demo.sh $(BINARY) --picture $(PICTURE)

# geomgen runs without the race detector: it starts no goroutine, which .ci/imports checks, and its tests would
# take minutes. In the tests of other packages, it is instrumented.
test: ## Run every test on one server: unit, race detector, integration against PostGIS
	@set -e; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	$(GO) run ./integration/testreport -timeout 40m ./geomgen; \
	CGO_ENABLED=1 $(GO) run ./integration/testreport -race -timeout 40m $$($(GO) list ./... | grep -v '/geomgen$$')

# SERVERS='13 18' selects versions from integration/servers.
test-servers: ## Run a list of tests on each other server, PostgreSQL 13 to 18
	@sh integration/test-servers.sh chosen

# The tests of docs/maps.md have a build tag: make test is without them, because QGIS takes 1 GB of packages.
test-maps: ## Open grids in QGIS, GDAL and a browser; installs their packages, up to 1.8 GB
	@set -e; sh integration/maps/setup.sh; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	$(GO) run ./integration/testreport -tags maps -timeout 10m -count 1 -run '^(TestMapsPage|TestTileDecoder)$$' ./integration

test-all: test ## Run every test on every server; takes hours
	@sh integration/test-servers.sh all

# SOAK is the duration. SEED=n repeats the trial that the report names.
SOAK ?= 2h
SEED ?=
soak: ## Try random faults for SOAK, and report how many of each failed
	@set -e; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	LOADGRID_SOAK=$(SOAK) LOADGRID_TEST_SEED=$(SEED) CGO_ENABLED=1 \
	$(GO) test -race -timeout 0 -count 1 -v -run '^TestSoak$$' ./integration

lint: ## Run go vet, staticcheck and the import check
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./cmd/... # has files that Linux does not compile
	GOOS=windows $(GO) vet ./cmd/...
	$(GO) tool staticcheck ./...
	$(GO) vet -tags maps ./integration
	$(GO) tool staticcheck -tags maps ./integration
	@sh .ci/imports

# Integration tests and tests of shell scripts need Unix processes.
platforms: ## Run go vet and go test -c for each platform of a release
	@sh scripts/platforms.sh

format: ## Fail if a file is not formatted
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "not formatted: $$bad"; exit 1; fi

# FUZZ_TARGETS='Plan|Job' selects tests. A failing input stays as a seed under
# testdata/fuzz: give its file a descriptive name.
FUZZTIME ?= 10m
fuzz: ## Run each fuzz test for FUZZTIME, on two cores
	@.ci/fuzz $(FUZZTIME)

# One worker per server: an input takes a second, and go test reports one that takes ten
# as hung.
INJECTIONS ?= 500x
fuzz-server: ## Put INJECTIONS hostile inputs into loads on a real server
	@set -e; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	CGO_ENABLED=1 $(GO) test -race -run '^$$' -fuzz '^FuzzInjection$$' -fuzztime $(INJECTIONS) -parallel 1 ./integration

vulncheck: ## Look for known vulnerabilities that the program can reach (needs the network)
	$(GO) tool govulncheck ./...

# Everything takes about two hours. BENCH='-only ^ready_3.2' measures a part again.
BENCH ?=
bench: build ## Measure loadgrid against its peers, and write docs/benchmarks.md
	sh bench/setup.sh
	$(GO) run ./bench $(BENCH)

bench-servers: build ## Measure loadgrid against plain SQL on PostgreSQL 13 to 18
	sh bench/servers.sh $(BENCH)

bench-row: ## Measure the cost of a row, on one core and on two
	$(GO) test -run '^$$' -bench . -cpu 1,2 -count 5 ./loader/plan

clean: ## Remove what was built
	rm -rf bin dist $(PICTURE)
