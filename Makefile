# The front door. Every target does its own set-up; what it does is in scripts/.
.PHONY: help run test test-dapr prove-cluster build release package-test format lint proto bench sim fuzz test-tsan test-asan
.DEFAULT_GOAL := help

help: ## print this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
		| while IFS="$$(printf '\t')" read -r target text; do \
			printf '  make %-13s %s\n' "$$target" "$$text"; done

run: ## start a server with example connections and watch them (WSM_RUN_SECONDS=N ends it)
	@scripts/run.sh

test: ## everything: lint, unit tests, tests against real servers
	@scripts/test.sh

test-dapr: ## state and messages against a real sidecar (DAPR_GRPC_PORT=N DAPR_HTTP_PORT=N)
	@DAPR_GRPC_PORT=$(DAPR_GRPC_PORT) DAPR_HTTP_PORT=$(DAPR_HTTP_PORT) scripts/test-dapr.sh

prove-cluster: ## three servers on one Redis behind stand-ins: kill, leave, stop, join, outage, partition (minutes)
	@scripts/interop.sh -s proof_cluster.py

build: ## debug build of the three programs, in .build/debug
	@scripts/setup.sh
	@swift build

release: ## optimised programs that need no Swift on the target, and a Debian package, in dist/
	@scripts/release.sh

package-test: ## installs, runs and purges the package of dist/ in a clean Debian root (as root)
	@scripts/test-package.sh

format: ## bring all Swift sources into the house's format
	@scripts/format.sh

lint: ## format, imports, leftovers, links; changes nothing
	@scripts/lint.sh

proto: ## generate the gRPC code from Protos/ (needs protoc)
	@scripts/proto.sh

sim: ## simulate the ownership protocol (SEEDS=N, FIRST=N; SEED=N shows one run; JOBS=N, WITHOUT=RULE)
	@scripts/sim.sh

fuzz: ## fuzz TARGET=codec|inflate|handshake|manifest for SECONDS=N (60)
	@TARGET="$(TARGET)" SECONDS_LONG="$(or $(SECONDS),60)" scripts/fuzz.sh

test-tsan: ## the unit tests with ThreadSanitizer (ONLY=TARGETS names some)
	@scripts/test-sanitized.sh thread $(ONLY)

test-asan: ## the unit tests with AddressSanitizer (ONLY=TARGETS names some)
	@scripts/test-sanitized.sh address $(ONLY)

bench: ## wsm beside other clients and bridges, a short form (Benchmarks/README.md has more)
	@scripts/release.sh >/dev/null
	@Benchmarks/setup.sh
	@Benchmarks/run.py --short
