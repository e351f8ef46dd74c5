# `make demo` and `make test` do all the set-up they need, on a machine that has
# nothing but git, make and Go.

SHELL := /bin/sh
GO ?= go
PICTURE ?= loadgrid-demo.png
BINARY ?= bin/loadgrid

# What `loadgrid version` prints. Without git, as in an archive of the sources, it is empty,
# and the program prints what Go knows of its module.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# The binary needs no C library, so a machine without a C compiler can build it.
export CGO_ENABLED := 0

.PHONY: help build demo dist dist-check test test-servers test-maps test-all soak lint platforms format fuzz fuzz-server vulncheck bench bench-servers bench-row clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

build: ## Build bin/loadgrid, stripped, with its version
	$(GO) build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o $(BINARY) ./cmd/loadgrid

# The time of everything in the artifacts: that of the commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
dist: ## Make the artifacts of a release for each platform, in dist/
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(GO) run ./scripts/dist -version '$(VERSION)'

# PLATFORMS='linux/arm64,darwin/arm64' chooses others.
dist-check: ## Make the artifacts of linux/amd64 twice, and fail when they differ
	@sh scripts/dist/check.sh

demo: build ## Load a grid into a throwaway PostGIS, ask it questions, draw it
	@sh scripts/demo.sh $(BINARY) --picture $(PICTURE)

# geomgen starts no goroutine, as .ci/imports checks, and computes for minutes under the race detector. The
# tests of the packages that call it have it instrumented.
test: ## Run every test on one server: unit, race detector, integration against PostGIS
	@set -e; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	$(GO) run ./integration/testreport -timeout 40m ./geomgen; \
	CGO_ENABLED=1 $(GO) run ./integration/testreport -race -timeout 40m $$($(GO) list ./... | grep -v '/geomgen$$')

# SERVERS='13 18' chooses among the versions of integration/servers.
test-servers: ## Run a list of tests on each other server, PostgreSQL 13 to 18
	@sh integration/test-servers.sh chosen

# The tests of docs/maps.md have a build tag: make test is without them, because QGIS takes 1 GB of packages.
test-maps: ## Open grids in QGIS, GDAL and a browser; installs their packages, 1.1 GB
	@set -e; sh integration/maps/setup.sh; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	$(GO) run ./integration/testreport -tags maps -timeout 10m -count 1 -run '^(TestMapsPage|TestTileDecoder)$$' ./integration

test-all: test ## Run every test on every server; takes hours
	@sh integration/test-servers.sh all

# SOAK is for how long. SEED=n repeats the trial that the report has named.
SOAK ?= 2h
SEED ?=
soak: ## Try faults at random for SOAK, and report how many of each failed
	@set -e; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	LOADGRID_SOAK=$(SOAK) LOADGRID_TEST_SEED=$(SEED) CGO_ENABLED=1 \
	$(GO) test -race -timeout 0 -count 1 -v -run '^TestSoak$$' ./integration

lint: ## go vet, staticcheck, and the import rule
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./cmd/... # has files that Linux does not compile
	GOOS=windows $(GO) vet ./cmd/...
	$(GO) tool staticcheck ./...
	$(GO) vet -tags maps ./integration
	$(GO) tool staticcheck -tags maps ./integration
	@sh .ci/imports

# Integration tests and those of shell scripts need the processes of Unix.
platforms: ## go vet and go test -c for each platform of a release
	@sh scripts/platforms.sh

format: ## Fail when a file is not formatted
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "not formatted: $$bad"; exit 1; fi

# FUZZ_TARGETS='Plan|Job' chooses among the tests. What fails stays as a seed under
# testdata/fuzz: give its file a name that says what it is.
FUZZTIME ?= 10m
fuzz: ## Run each fuzz test for FUZZTIME, on two cores
	@.ci/fuzz $(FUZZTIME)

# A worker for each server: an input takes a second, and go test takes one that takes
# ten for hung.
INJECTIONS ?= 500x
fuzz-server: ## Put INJECTIONS hostile inputs into loads on a real server
	@set -e; setup=$$(sh integration/setup.sh); eval "$$setup"; \
	CGO_ENABLED=1 $(GO) test -race -run '^$$' -fuzz '^FuzzInjection$$' -fuzztime $(INJECTIONS) -parallel 1 ./integration

vulncheck: ## Look for known vulnerabilities that the program can reach (needs the network)
	$(GO) tool govulncheck ./...

# Everything takes about two hours. BENCH='-only ^ready_3.2' measures a part again.
BENCH ?=
bench: build ## Measure loadgrid against its peers, write docs/benchmarks.md
	sh bench/setup.sh
	$(GO) run ./bench $(BENCH)

bench-servers: build ## Measure loadgrid beside SQL alone on PostgreSQL 13 to 18
	sh bench/servers.sh $(BENCH)

bench-row: ## The cost of a row, on one core and on two
	$(GO) test -run '^$$' -bench . -cpu 1,2 -count 5 ./loader/plan

clean: ## Remove what was built
	rm -rf bin dist $(PICTURE)
