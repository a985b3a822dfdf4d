# The front door. Meson does the work; this knows the order.
BUILD ?= build
MESON ?= meson

.PHONY: all demo check install bench deviations fuzz clean dependencies

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

dependencies:
	tools/install-dependencies

$(BUILD)/build.ninja: | dependencies
	$(MESON) setup $(BUILD)

# The container edition built, signed, booted in QEMU and explained.
demo: all
	tools/demo $(BUILD)

# Everything that is tested: formatting, floors, units (also with ASan and UBSan), host, VM.
check: all
	tools/check $(BUILD)

install: all
	$(MESON) install -C $(BUILD)

bench: all
	test/bench/run $(BUILD)

# The log of our own distribution's deviations.
deviations: all
	$(BUILD)/src/cli/varve deviations -C distro --markdown --no-dates --output docs/deviations.md

fuzz: dependencies
	test/fuzz/run $(BUILD)-fuzz

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-fuzz
