# What a person types. Everything runs under the pinned Node that `make deps` fetches; the system needs npm, sh and make.
RUN := sh tools/with-node

.DEFAULT_GOAL := help
.PHONY: help deps check test demo bench fix vectors binary ipk apk clean

help:
	@echo 'make demo          a paying guest in a small world of network namespaces (KEEP=1 leaves it up)'
	@echo 'make test          everything: types, lint, unused code, unit tests, end to end'
	@echo 'make check         the quick part of it, before each commit'
	@echo 'make bench         benchmarks (NAME=forward for one of them)'
	@echo 'make fix           format, and fix what the linter can'
	@echo 'make vectors       write test/vectors/protocol-digests.json anew'
	@echo 'make binary        executables for routers into build/binary (TARGET=x86_64, WEIGHT=small for one; docs/binary.md)'
	@echo 'make ipk, make apk  packages (agent, LuCI pages) for OpenWrt up to 24.10, from 25.12 (ARCH=aarch64_cortex-a53, PAYLOAD=build/binary/.., KEY=private-key.pem for a signed apk, KEY=key-build for a signed feed of ipk)'
	@echo 'make deps          pinned Node and packages only'
	@echo 'make clean         remove what was built or fetched'

# Skips itself when nothing changed, so that every target may ask for it.
deps:
	@sh tools/install-dependencies

check: deps
	@$(RUN) node test/run.ts types lint unused unit

# What apt brings and what npm brings come side by side. Compiled again afterwards: on a fresh machine the packages bring the compiler.
test:
	@{ sh tools/install-packages test; sh test/lab/fetch-networkd; } & sh tools/install-dependencies; code=$$?; wait; exit $$code
	@sh openwrt/node-netlink/compile || true
	@$(RUN) node test/run.ts

demo: deps
	@sh tools/install-packages demo
	@KEEP=$(KEEP) $(RUN) node test/lab/demo.ts

bench: deps
	@sh tools/install-packages test
	@sh openwrt/node-netlink/compile || true
	@$(RUN) node test/bench/run.ts $(NAME)

fix: deps
	@$(RUN) biome check --write

vectors: deps
	@$(RUN) node tools/make-vectors.ts

# Minutes, most of them packing.
binary: deps
	@sh tools/install-packages binary
	@$(RUN) node tools/build-binary.ts $(if $(TARGET),--target $(TARGET)) $(if $(WEIGHT),--weight $(WEIGHT))

# The thin package (Node from a feed) unless PAYLOAD names a folder with an executable shareagent in it.
ARCH := x86_64
ipk apk: deps
	@$(RUN) node tools/build-package.ts $@ --arch $(ARCH) $(if $(PAYLOAD),--payload $(PAYLOAD)) $(if $(KEY),--key $(KEY))

clean:
	rm -rf node_modules .tools .tap build dist bench/out test/bench/out contracts/out contracts/cache captive-portal/page/dist
