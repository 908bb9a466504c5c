# zygoted: one Makefile, not recursive. `make help` lists the targets.
#
# Every executable is the objects of its own folder over daemon/base: the linker enforces the layers.

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
DESTDIR ?=
SECONDS ?= 60
CC ?= cc
CLANG ?= clang
PYTHON ?= /usr/bin/python3
PYTEST := $(PYTHON) -m pytest
JOBS ?= $(shell nproc)

SBINDIR := $(PREFIX)/sbin
BINDIR := $(PREFIX)/bin
LIBEXECDIR := $(PREFIX)/libexec/zygoted
WORKERDIR := $(PREFIX)/lib/zygoted/workers
MANDIR := $(PREFIX)/share/man
DOCDIR := $(PREFIX)/share/doc/zygoted
UNITDIR := $(PREFIX)/lib/systemd/system

DEPS := build-essential pkg-config libevent-dev libssl-dev libseccomp-dev libconfuse-dev libjansson-dev \
	libncurses-dev ieee-data libpython3-dev liblua5.4-dev
DEPS_TEST := openssl libcmocka-dev python3 python3-pytest python3-pytest-xdist curl wrk clang llvm libclang-rt-14-dev \
	clang-format clang-tidy cppcheck shellcheck mandoc strace procps iproute2 git \
	python3-flask python3-django python3-numpy gunicorn python3-prometheus-client python3-requests apache2-utils
# Apart from the others: where there is a service manager Debian's packages start servers, Prometheus on port 9090, nginx
# on 80, Varnish on 6081; HAProxy's listens nowhere, and Apache is the program alone.
DEPS_METRICS := prometheus
DEPS_PROXIES := nginx haproxy apache2-bin varnish
# Attackers of the full-size tests, which skip what is missing.
DEPS_LONG := slowhttptest
DEPS_SYSTEMD := python3 python3-pytest openssl systemd systemd-container debootstrap util-linux
DEPS_BENCH := python3 wrk iproute2 gnuplot-nox nginx php-fpm fcgiwrap ucspi-tcp

PKGS := libevent_core libssl libcrypto libseccomp libconfuse jansson
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef \
	-Wno-format-zero-length
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=3
OPTIMIZE ?= -O2 -g
CFLAGS_ALL = -std=gnu17 -D_GNU_SOURCE $(OPTIMIZE) $(WARNINGS) $(HARDENING) -Idaemon -Iworker \
	-DZYGOTED_VERSION='"$(VERSION)"' -DZYGOTED_WORKER_DIR='"$(WORKERDIR)"' \
	-DZYGOTED_LIBEXEC_DIR='"$(LIBEXECDIR)"' $(SANITIZE) $(CFLAGS)
# Text and read-only data in one mapping: each mapping and each first touch of one costs every child.
FEW_MAPPINGS := -Wl,-z,noseparate-code
# A fault in text maps the 64 KiB block around it: aligned like that, the zygote's own text is one fault.
ONE_FAULT := -Wl,-z,max-page-size=0x10000
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)

BASE_SRC := $(wildcard daemon/base/*.c) $(if $(SANITIZE),tests/sanitizer.c)
ZYGOTED_SRC := $(wildcard daemon/*.c daemon/supervisor/*.c daemon/front/*.c daemon/doctor/*.c)
CTL_SRC := $(wildcard daemon/zygotectl/*.c)
ZYGOTE_SRC := $(wildcard worker/zygote/*.c)
WORKERS := $(filter-out zygote,$(notdir $(patsubst %/,%,$(dir $(wildcard worker/*/*.c)))))
WORKERS := $(sort $(WORKERS))

# Workers that need a library, by the name that pkg-config knows it by: left out of the build where it is missing.
python_PKG := python3-embed
lua_PKG := lua5.4
missing_library = $(if $($(1)_PKG),$(shell pkg-config --exists $($(1)_PKG) 2>/dev/null || echo missing))
WORKERS_LEFT_OUT := $(strip $(foreach worker,$(WORKERS),$(if $(call missing_library,$(worker)),$(worker))))
WORKERS := $(filter-out $(WORKERS_LEFT_OUT),$(WORKERS))
worker_cflags = $(if $($(1)_PKG),$(shell pkg-config --cflags $($(1)_PKG) 2>/dev/null))
# The interpreter that belongs to the library: its place is where site-packages are looked for.
python_DEFINES := -DPYTHON_EXECUTABLE='"$(shell pkg-config --variable=exec_prefix python3-embed)/bin/python$(shell pkg-config --modversion python3-embed)"'
worker_libs = $(if $($(1)_PKG),$(shell pkg-config --libs $($(1)_PKG) 2>/dev/null))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

PROGRAMS := $(BUILD)/zygoted $(BUILD)/zygoted-zygote $(BUILD)/zygotectl
WORKER_SOS := $(WORKERS:%=$(BUILD)/workers/%.so)
# Workers of the tests: a file each, or a folder where one file is not enough.
TEST_WORKER_DIRS := $(patsubst %/,%,$(wildcard tests/*/workers/*/))
TEST_WORKERS := $(patsubst tests/%.c,$(BUILD)/tests/%.so,$(wildcard tests/*/workers/*.c)) \
	$(TEST_WORKER_DIRS:tests/%=$(BUILD)/tests/%.so)
# Programs of the tests, for the worker `exec`.
TEST_PROGRAMS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*/programs/*.c))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
# Servers and tools that `make bench` compares with.
BENCH := $(addprefix $(BUILD)/tests/bench/,textbook handover paced once forker)
FUZZ := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)
FUZZ_COVERAGE := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz-coverage/%)

.PHONY: all help deps deps-test deps-metrics deps-long run run-python run-lua run-exec check check-unit check-e2e check-long deps-systemd check-systemd lint asan bench snapshots bench-disturbance bench-python bench-tls tls-scan fuzz fuzz-coverage deps-proxies check-proxies fuzz-proxies install clean
.DEFAULT_GOAL := all

all: $(PROGRAMS) $(WORKER_SOS) ## build everything into build/
	@for worker in $(WORKERS_LEFT_OUT); do echo "left out: worker $$worker, whose library is missing (make deps)"; done

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- what the build needs ----

deps: ## install what building and running needs (apt-get, when root or with sudo)
	@tests/deps.sh $(DEPS)

deps-test: ## install what the tests need
	@tests/deps.sh $(DEPS) $(DEPS_TEST)

deps-metrics: ## install Prometheus, for the tests that skip without it; Debian's package starts a server
	@tests/deps.sh $(DEPS_METRICS)

deps-long: ## install what the full-size tests need beside
	@tests/deps.sh $(DEPS_LONG)

deps-proxies: ## install nginx, HAProxy, Apache httpd and Varnish, for the tests that skip without them; Debian's packages start servers
	@tests/deps.sh $(DEPS_PROXIES)

run: deps ## build, then serve on 127.0.0.1:8080 with conf/zygoted.conf in the foreground
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@echo "try: curl http://127.0.0.1:8080/   (stop with Ctrl-C)"
	$(BUILD)/zygoted -c conf/zygoted.conf

# As root the daemon drops to another user, who may not read a tree below /root: so the application is copied. The signals are the
# daemon's to act upon; the copy goes when it has ended.
define run_example
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && trap : INT TERM && \
		cp -r worker/$(1)/example/. "$$copy" && chmod -R a+rX "$$copy" && \
		APP=$$copy $(BUILD)/zygoted -c conf/$(1).conf
endef

run-python: ## build, then serve a Flask application on 127.0.0.1:8080 with conf/python.conf
	@tests/deps.sh $(DEPS) python3-flask
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@echo "try: curl http://127.0.0.1:8080/   (stop with Ctrl-C)"
	@echo "     curl -d name=value http://127.0.0.1:8080/form"
	@echo "     /stream; /error, /crash and /steal: what goes wrong there harms nobody else, and is in the log"
	$(call run_example,python)

run-lua: deps ## build, then serve a Lua script on 127.0.0.1:8080 with conf/lua.conf
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@echo "try: curl http://127.0.0.1:8080/   (stop with Ctrl-C)"
	@echo "     curl http://127.0.0.1:8080/square?12"
	@echo "     curl -d 'some text' http://127.0.0.1:8080/shout"
	$(call run_example,lua)

run-exec: deps ## build, then serve a shell script by CGI on 127.0.0.1:8080 with conf/exec.conf
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@echo "try: curl http://127.0.0.1:8080/   (stop with Ctrl-C)"
	@echo "     curl --data-binary @Makefile http://127.0.0.1:8080/"
	$(call run_example,exec)

# ---- objects ----

$(BUILD)/obj/daemon/supervisor/%.o $(BUILD)/obj/daemon/zygotectl/%.o $(BUILD)/obj/daemon/front/%.o \
	$(BUILD)/obj/daemon/doctor/%.o: \
	CFLAGS_ALL += $(PKG_CFLAGS)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -fPIE -MMD -MP -c -o $@ $<

$(BUILD)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(BUILD)/zygoted: $(call obj,$(ZYGOTED_SRC) $(BASE_SRC))
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell pkg-config --libs $(PKGS))

$(BUILD)/zygotectl: $(call obj,$(CTL_SRC) $(BASE_SRC))
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell pkg-config --libs jansson ncursesw) -lm

$(BUILD)/zygoted-zygote: $(call obj,$(ZYGOTE_SRC) $(BASE_SRC)) worker/zygote/exports.map
	$(CC) $(LDFLAGS_ALL) $(FEW_MAPPINGS) $(ONE_FAULT) -Wl,--dynamic-list=worker/zygote/exports.map -o $@ $(filter %.o,$^) -ldl

define worker_rule
$(BUILD)/pic/worker/$(1)/%.o: CFLAGS_ALL += $(call worker_cflags,$(1)) $($(1)_DEFINES)
$(BUILD)/workers/$(1).so: $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard worker/$(1)/*.c))
	@mkdir -p $$(@D)
	$$(CC) -shared -Wl,-z,relro,-z,now $$(FEW_MAPPINGS) $$(SANITIZE) $$(LDFLAGS) -o $$@ $$^ $(call worker_libs,$(1))
endef
$(foreach worker,$(WORKERS),$(eval $(call worker_rule,$(worker))))

define test_worker_rule
$(BUILD)/$(1).so: $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard $(1)/*.c))
	@mkdir -p $$(@D)
	$$(CC) -shared -Wl,-z,relro,-z,now $$(FEW_MAPPINGS) $$(SANITIZE) $$(LDFLAGS) -o $$@ $$^
endef
$(foreach worker,$(TEST_WORKER_DIRS),$(eval $(call test_worker_rule,$(worker))))

$(TEST_PROGRAMS): $(BUILD)/tests/%: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE -O2 $(WARNINGS) -o $@ $<

$(BUILD)/tests/%.so: $(BUILD)/pic/tests/%.o
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS) -o $@ $^

# ---- tests ----

# A test names the sources that it needs in its first lines: "LINK: daemon/front/route.c ..."; and the packages:
# "PKGS: libconfuse ...".
link_of = $(shell sed -n '1,12s/^.*LINK: *//p' $(1) | sed 's/ *\*\/ *$$//')
pkgs_of = $(shell sed -n '1,12s/^.*PKGS: *//p' $(1) | sed 's/ *\*\/ *$$//')

define unit_rule
$(BUILD)/unit/$(notdir $(basename $(1))): $(call obj,$(1) $(call link_of,$(1)))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ -lcmocka $(if $(call pkgs_of,$(1)),$$(shell pkg-config --libs $(call pkgs_of,$(1))))
endef
$(foreach test,$(UNIT_SRC),$(eval $(call unit_rule,$(test))))
$(BUILD)/obj/tests/%.o: CFLAGS_ALL += $(PKG_CFLAGS) -Itests/unit

FUZZ_FLAGS = -std=gnu17 -D_GNU_SOURCE -g -O1 -Idaemon -Iworker $(PKG_CFLAGS) -DZYGOTED_VERSION='"fuzz"' \
	-DZYGOTED_WORKER_DIR='"/nowhere"' -DZYGOTED_LIBEXEC_DIR='"/nowhere"'
FUZZ_CHECKS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_COUNTS := -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping

# Folder in the build, test source, kind of instrumentation.
define fuzz_rule
$(BUILD)/$(1)/$(notdir $(basename $(2))): $(2) $(call link_of,$(2)) Makefile
	@mkdir -p $$(@D)
	$$(CLANG) $$(FUZZ_FLAGS) $(3) -o $$@ $$(filter %.c,$$^) \
		$(if $(call pkgs_of,$(2)),$$(shell pkg-config --libs $(call pkgs_of,$(2))))
endef
$(foreach target,$(FUZZ_SRC),$(eval $(call fuzz_rule,fuzz,$(target),$(FUZZ_CHECKS))))
$(foreach target,$(FUZZ_SRC),$(eval $(call fuzz_rule,fuzz-coverage,$(target),$(FUZZ_COUNTS))))

check: deps-test ## install test tools, build, then unit, end-to-end, sandbox and facts tests, and some on a booted systemd
	@$(MAKE) --no-print-directory -j$(JOBS) all $(UNIT) $(TEST_WORKERS) $(TEST_PROGRAMS)
	@$(MAKE) --no-print-directory check-unit
	@$(MAKE) --no-print-directory check-e2e
	@tests/deps.sh $(DEPS_SYSTEMD) || echo "tests on a booted systemd are skipped"
	@$(MAKE) --no-print-directory check-systemd SYSTEMD_TESTS=brief

check-unit: $(UNIT) ## unit tests alone
	@tests/unit/run.sh $(UNIT)

check-e2e: all $(TEST_WORKERS) $(TEST_PROGRAMS) ## end-to-end, sandbox and facts tests alone
	ZYGOTED_BUILD=$(BUILD) $(PYTEST) -q -n $(JOBS) -m "not long" tests/e2e tests/sandbox tests/facts tests/proxies

check-long: all $(TEST_WORKERS) $(TEST_PROGRAMS) ## the full numbers: 500 reloads, 200 kills, a million requests, 1 GiB bodies
	ZYGOTED_BUILD=$(BUILD) $(PYTEST) -q -rP -m long tests/e2e tests/sandbox

check-proxies: all $(TEST_WORKERS) ## requests through real proxies, the long tests too (make deps-proxies)
	ZYGOTED_BUILD=$(BUILD) $(PYTEST) -q -rs tests/proxies

COUNT ?= 100000
fuzz-proxies: all $(TEST_WORKERS) ## COUNT=100000 random requests through each proxy and to the daemon itself (SEED=text)
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/proxies/fuzz.py --count $(COUNT) $(if $(SEED),--seed '$(SEED)')

deps-systemd: ## install what the tests on a booted systemd need
	@tests/deps.sh $(DEPS_SYSTEMD)

# A tree of Debian is made once, which takes a minute; then "brief" takes half a minute, "not long" one and a half, "long" three.
SYSTEMD_TESTS ?= not long

check-systemd: all $(TEST_WORKERS) ## tests of the units on a real systemd, booted in a container (root; SYSTEMD_TESTS=long: the full numbers)
	ZYGOTED_BUILD=$(BUILD) $(PYTEST) -q -rsP -m "$(SYSTEMD_TESTS)" tests/systemd

bench: deps ## install peers, measure against them: text, CSV, SVG in build/bench (PARTS="...", ROUNDS=n, DURATION=s)
	@tests/deps.sh $(DEPS_BENCH) || echo "what is missing is left out of the report"
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BENCH)
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/bench/bench.py $(BENCH_FLAGS)

# The daemon's own messages, and two programs that get every chance to be fast.
$(BUILD)/tests/bench/forker: $(call obj,tests/bench/forker.c $(BASE_SRC))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^

$(addprefix $(BUILD)/tests/bench/,textbook handover paced): $(BUILD)/tests/bench/%: tests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE -O2 $(WARNINGS) -o $@ $<

$(BUILD)/tests/bench/once: tests/bench/once.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE -O2 $(WARNINGS) -static -o $@ $<

snapshots: all ## what zygotectl shows, from a run, into the documents (root)
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/snapshots.py

bench-disturbance: all ## what asking for memory, maps and metrics does to requests
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/bench/disturbance.py

bench-python: all $(TEST_PROGRAMS) $(addprefix $(BUILD)/tests/bench/,paced forker) ## one Flask application under zygoted, gunicorn, uWSGI and werkzeug, as far as they are installed
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/bench/python.py

bench-tls: all ## what TLS costs: requests with and without it, handshakes against openssl s_server
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/bench/tls.py

tls-scan: all ## what sslscan and testssl.sh find on a TLS listener (takes minutes)
	@tests/deps.sh $(DEPS) sslscan testssl.sh
	ZYGOTED_BUILD=$(BUILD) $(PYTHON) tests/bench/tls_scan.py

fuzz: $(FUZZ) ## each fuzz target for SECONDS=60 seconds
	@for target in $(FUZZ); do \
		name=$${target##*/}; mkdir -p $(BUILD)/corpus/$$name; \
		echo "== $$name"; \
		$$target -max_total_time=$(SECONDS) -print_final_stats=1 $(BUILD)/corpus/$$name \
			tests/fuzz/corpus/$$name 2>&1 | tail -n 8 || exit 1; \
	done

fuzz-coverage: $(FUZZ_COVERAGE) ## lines that the fuzz targets' corpora reach, of each parser
	$(PYTHON) tests/fuzz/coverage.py $(BUILD)/fuzz-coverage $(FUZZ_COVERAGE)

asan: ## build and test with address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/asan OPTIMIZE="-O1 -g -fno-omit-frame-pointer" \
		HARDENING= SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
		asan-run

.PHONY: asan-run
asan-run: all $(UNIT) $(TEST_WORKERS) $(TEST_PROGRAMS)
	@tests/unit/run.sh $(UNIT)
	ZYGOTED_BUILD=$(BUILD) ZYGOTED_ASAN=1 $(PYTEST) -q -n $(JOBS) -m "not long" tests/e2e tests/sandbox tests/facts tests/proxies

C_FILES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
TIDY_FILES = $(filter daemon/%.c worker/%.c,$(C_FILES))
TIDY_FLAGS = $(filter-out $(HARDENING),$(CFLAGS_ALL)) $(PKG_CFLAGS) \
	$(foreach worker,$(WORKERS),$(call worker_cflags,$(worker)) $($(worker)_DEFINES))

lint: deps-test ## formatting, clang-tidy, cppcheck, shellcheck, layers, manual pages
	clang-format --dry-run -Werror $(C_FILES)
	tests/lint/layers.sh
	shellcheck $(shell git ls-files -co --exclude-standard '*.sh') .ci/run
	mandoc -Tlint -Wwarning $(shell git ls-files -co --exclude-standard '*.[13578]')
	cppcheck --quiet -D__x86_64__ "-D_Noreturn=__attribute__((noreturn))" --include=/usr/include/x86_64-linux-gnu/sys/queue.h --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem -j$(JOBS) -Idaemon -Iworker daemon worker
	printf '%s\n' $(TIDY_FILES) | xargs -P $(JOBS) -I FILE clang-tidy --quiet FILE -- $(TIDY_FLAGS)

# ---- installation ----

install: all ## install under DESTDIR and PREFIX
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(WORKERDIR) \
		$(DESTDIR)$(SYSCONFDIR)/zygoted $(DESTDIR)$(PREFIX)/include/zygoted \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man5 \
		$(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(DOCDIR) \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install -m 755 $(BUILD)/zygoted $(DESTDIR)$(SBINDIR)
	install -m 755 $(BUILD)/zygotectl $(DESTDIR)$(BINDIR)
	install -m 755 $(BUILD)/zygoted-zygote $(DESTDIR)$(LIBEXECDIR)
	install -m 755 $(WORKER_SOS) $(DESTDIR)$(WORKERDIR)
	install -m 644 worker/worker.h $(DESTDIR)$(PREFIX)/include/zygoted
	test -e $(DESTDIR)$(SYSCONFDIR)/zygoted/zygoted.conf || \
		install -m 644 conf/zygoted.conf $(DESTDIR)$(SYSCONFDIR)/zygoted
	install -d $(DESTDIR)$(PREFIX)/share/doc/zygoted/examples
	install -m 644 conf/python.conf conf/lua.conf conf/exec.conf systemd/dynamic-user.conf $(DESTDIR)$(PREFIX)/share/doc/zygoted/examples
	sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' \
		systemd/zygoted.service.in >$(DESTDIR)$(UNITDIR)/zygoted.service
	chmod 644 $(DESTDIR)$(UNITDIR)/zygoted.service
	install -m 644 systemd/zygoted.socket $(DESTDIR)$(UNITDIR)
	install -m 644 systemd/zygoted.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/zygoted.conf
	install -m 644 systemd/zygoted.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/zygoted.conf
	install -m 644 daemon/zygotectl.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 worker/worker.3 $(DESTDIR)$(MANDIR)/man3/zygoted-worker.3
	install -m 644 conf/zygoted.conf.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 daemon/zygoted-metrics.7 $(DESTDIR)$(MANDIR)/man7
	install -m 644 daemon/zygoted.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 conf/zygoted-alerts.yml conf/zygoted-dashboard.json $(DESTDIR)$(DOCDIR)
	printf 'prefix=%s\nworkerdir=%s\n\nName: zygoted\nDescription: headers for zygoted workers\nVersion: %s\nCflags: -I$${prefix}/include/zygoted\n' \
		'$(PREFIX)' '$(WORKERDIR)' '$(VERSION)' >$(DESTDIR)$(PREFIX)/lib/pkgconfig/zygoted.pc

clean: ## remove build/
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
