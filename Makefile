# The project's commands. `make` alone lists them.

.PHONY: help setup build run test test-asan test-tsan fuzz bench format lint docs check
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install every Debian package and third-party part (sudo unless root)
	@scripts/setup && scripts/fetch

build: ## build the programs into build/release/bin
	@scripts/setup build && scripts/build release

run: ## build, then start a manager with its data in data/
	@scripts/run

test: test-asan ## run every test, under the address and undefined behaviour sanitizers

test-asan: ## the same as test
	@scripts/test dev

test-tsan: ## run every test under the thread sanitizer
	@scripts/test tsan

fuzz: ## feed every parser of outside bytes for SECONDS each (600)
	@MARCHPROXY_FUZZ_SECONDS=$(or $(SECONDS),600) scripts/fuzz

bench: ## build release and run the benchmarks
	@scripts/bench

format: ## lay out the C++ sources
	@scripts/format

lint: ## check layout (all files) and clang-tidy (changed files; ALL=1 for all)
	@scripts/lint $(if $(ALL),all)

docs: ## write docs/reference anew from the declarations
	@scripts/docs

check: lint test ## what a change must pass
