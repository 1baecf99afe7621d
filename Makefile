# `make run` and `make test` need Node.js (20 or newer) and npm, and set up the rest themselves.
# The project's own Node.js comes with `npm ci`; npm scripts and `npx policy-log-agent` find it first.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BUNDLE  := dist/policy-log-agent.mjs
INSTALLED := node_modules/.package-lock.json
SOURCES := $(shell find agent parsers sinks -name '*.ts' 2>/dev/null) build.ts package.json
IMAGE   ?= policy-log-agent:dev

# What CI adds up. A step that fails without a report counts as one failed test; lint, too, so it leaves an empty one.
report   = --reporter=default --reporter=json --outputFile.json=reports/$(1).json
no-tests = mkdir -p reports && echo '{"success": true}' > reports/$(1).json

.PHONY: help run test lint test-unit test-e2e test-real test-node conformance bench image chart manifests clean
.NOTPARALLEL:

help: ## Show what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

run: $(BUNDLE) ## Run the agent on generated log files (RUN_SECONDS=10 stops by itself)
	@exec node_modules/.bin/node test/demo/demo.ts # not through npm, which would keep SIGTERM to itself

test: lint test-unit test-e2e ## Everything that needs Node.js and Debian's packages alone

lint: $(INSTALLED) ## Format, lint and types
	npm run --silent lint
	@$(call no-tests,lint)

test-unit: $(INSTALLED) ## Unit and property tests
	npm run --silent test:unit -- $(call report,unit)

test-e2e: $(BUNDLE) ## The built agent, on lines of the real kernel
	@test/helpers/packages.sh e2e
	npm run --silent test:e2e -- $(call report,e2e)

test-real: $(BUNDLE) ## Tests against real servers, built once and kept in ~/.cache
	@test/helpers/packages.sh real
	@test/real/prepare.sh
	npm run --silent test:real -- $(call report,real)

conformance: ## What every sink did in the last tests when its destination misbehaved
	@node_modules/.bin/node test/sinks/conformance-table.ts

test-node: $(BUNDLE) ## Only a whole real node; its transcript goes to docs/real-cluster.md
	@test/helpers/packages.sh real
	@test/real/prepare.sh base-images etcd helm kubernetes
	TRANSCRIPT=docs/real-cluster.md npm run --silent test:real -- --bail 1 test/real/kubernetes/node.test.ts

bench: $(BUNDLE) ## Measure throughput and memory
	npm run --silent bench

image: ## Build the container image (docker, podman or buildah)
	@builder=$$(command -v docker || command -v podman || command -v buildah) \
	  || { echo 'make image: needs docker, podman or buildah' >&2; exit 1; }; \
	"$$builder" build -t $(IMAGE) .

chart: ## Package the chart into dist/
	helm lint --strict helm/policy-log-agent
	helm package --destination dist helm/policy-log-agent

manifests: ## Write the chart's defaults as plain manifests
	deploy/render.sh > deploy/base/manifests.yaml

clean: ## Remove what was built; node_modules and ~/.cache stay
	rm -rf dist reports

# Set-up speaks on standard error, so that `make run | jq` gets records and nothing else. npm writes this file
# last, so it is as new as the installation.
$(INSTALLED): package.json package-lock.json
	@echo 'npm ci' >&2
	@npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

$(BUNDLE): $(INSTALLED) $(SOURCES)
	@npm run --silent build >&2
