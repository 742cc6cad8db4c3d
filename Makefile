# The front door. Every target does its own set-up; what it does is in scripts/.
.PHONY: help run test build release format lint proto bench sim
.DEFAULT_GOAL := help

help: ## print this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' \
		| while IFS="$$(printf '\t')" read -r target text; do \
			printf '  make %-9s %s\n' "$$target" "$$text"; done

run: ## start a server with example connections and watch them (WSM_RUN_SECONDS=N ends it)
	@scripts/run.sh

test: ## everything: lint, unit tests, tests against real servers
	@scripts/test.sh

build: ## debug build of the three programs, in .build/debug
	@scripts/setup.sh
	@swift build

release: ## optimised, stripped programs that need no Swift on the target, in dist/
	@scripts/release.sh

format: ## bring all Swift sources into the house's format
	@scripts/format.sh

lint: ## format, imports, leftovers, links; changes nothing
	@scripts/lint.sh

proto: ## generate the gRPC code from Protos/ (needs protoc)
	@scripts/proto.sh

sim: ## simulate the ownership protocol (SEEDS=N, FIRST=N; SEED=N shows one run; JOBS=N, WITHOUT=RULE)
	@scripts/sim.sh

bench: ## benchmarks: none yet, they arrive with the work on the data plane
	@echo "there are no benchmarks yet: they arrive with the work on the data plane"
