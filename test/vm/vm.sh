# Booting an image in a VM and asking it questions: sourced by the tests of this directory.
#
#   . "$(dirname "$0")/vm.sh"
#   vm_need IMAGE                 skips the whole test where a VM cannot be run, saying why
#   vm_start IMAGE [OPTION…]      starts `varve run` in the background; OPTIONs go to it. With
#                                 VM_NO_SSH=1 nothing is put into the state partition; with
#                                 VM_REBOOT=1 a reboot does not end it
#   vm_wait_ssh                   waits until root can log in
#   vm_wait_console PATTERN       waits until the console has shown a line that matches (grep -E)
#   vm_ssh COMMAND…               runs it in the guest, over one connection that stays open
#   vm_script FILE [NAME=VALUE…]  runs a script of this directory there
#   vm_stop                       powers the guest off and waits; kills it where that takes too long
#   vm_power_off [DENIAL]         the same, and three points: SELinux denied nothing (but what has DENIAL in
#                                 it), the power-off was clean, and reached the machine
#   ok WHAT COMMAND…              one line of TAP: COMMAND must succeed
#   tap_done                      the plan; the exit status tells whether all was ok
#
# VARVE is the program (default: build/src/cli/varve), VARVE_VM_TIMEOUT the seconds that any one
# wait may take (default 300: emulation on a busy machine is slow), VARVE_VM_KEEP=1 keeps the logs.
# With VM_NODE, the directory of a test that has booted the newest disk (live-node), vm_start takes that node and
# vm_stop leaves it running.
# Only processes that were started here are ended, by their pid.

VM_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VARVE=${VARVE:-$VM_ROOT/build/src/cli/varve}
VM_TIMEOUT=${VARVE_VM_TIMEOUT:-300}
VM_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/varve-vm.XXXXXX")
VM_MACHINE=${VM_NODE:-$VM_DIR}
VM_LOG=$VM_MACHINE/console.log
VM_PID= VM_PORT=
TAP_N=0 TAP_FAILED=0

tap_diagnostic() { sed 's/^/# /'; }

# ok WHAT COMMAND…: what the command printed is shown where it fails.
ok() {
	local what=$1 output
	shift
	TAP_N=$((TAP_N + 1))
	if output=$("$@" 2>&1); then
		echo "ok $TAP_N - $what"
	else
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_N - $what"
		printf '%s\n' "$output" | tail -40 | tap_diagnostic
		return 1
	fi
}

# tap_include PREFIX: takes another TAP stream from standard input into this one. One that ends before its plan
# is fulfilled, because whoever writes it died, has failed.
tap_include() {
	local line points=0 plan=
	while IFS= read -r line; do
		case $line in
		"ok "*) points=$((points + 1)) TAP_N=$((TAP_N + 1)) && echo "ok $TAP_N - $1: ${line#ok * - }" ;;
		"not ok "*)
			points=$((points + 1)) TAP_N=$((TAP_N + 1)) TAP_FAILED=$((TAP_FAILED + 1))
			echo "not ok $TAP_N - $1: ${line#not ok * - }"
			;;
		"1..0 # SKIP "*) points=0 plan=0 TAP_N=$((TAP_N + 1)) && echo "ok $TAP_N - $1 # SKIP ${line#1..0 # SKIP }" ;;
		1..*) plan=${line#1..} plan=${plan%% *} ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	[ "$plan" = $points ] || ok "$1: all of its points" eval "echo '$points points, a plan of ${plan:-none}'; false"
}

tap_skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
tap_bail_out() {
	echo "Bail out! $*"
	exit 1
}
tap_done() {
	[ ! -f "$VM_DIR/panic" ] ||
		echo "# the emulated machine's kernel panicked before its first process and was started again"
	echo "1..$TAP_N"
	[ "$TAP_FAILED" = 0 ]
}

vm_need() {
	local program
	[ -x "$VARVE" ] || tap_skip_all "'$VARVE' is not built"
	[ -n "${1-}" ] && [ -f "$1" ] || tap_skip_all "no disk image '${1-}': make one with 'varve build'"
	for program in ssh ssh-keygen debugfs qemu-img; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null ||
			tap_skip_all "'$program' is not installed"
	done
	vm_command "$1" > /dev/null 2> "$VM_DIR/need" || tap_skip_all "$(tr '\n' ' ' < "$VM_DIR/need")"
}
vm_command() { "$VARVE" run "$1" --print; }

# A port that nobody listens on now. QEMU fails if somebody takes it before it does.
vm_free_port() {
	local port
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 20000))
		(exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || { echo "$port" && return; }
	done
	return 1
}

# Runs the machine until it ends. An emulated kernel now and then panics while it starts its processors,
# long before anything of ours runs (QEMU 7.2's TCG, more than one thread): that says nothing about
# the image, so it is started once more, and tap_done tells.
vm_machine() {
	local child='' try
	trap 'kill "$child" 2> /dev/null; wait "$child" 2> /dev/null; exit 143' TERM
	for try in 1 2; do
		: > "$VM_LOG"
		"$VARVE" run "$@" < /dev/null > "$VM_DIR/stdout" 2> "$VM_DIR/stderr" &
		child=$!
		wait "$child"
		grep -q emulated "$VM_DIR/stderr" && grep -aq 'Kernel panic' "$VM_LOG" &&
			! grep -aqE 'Run /init|Attempted to kill init|varve: ' "$VM_LOG" || return
		[ "$try" = 2 ] || cp "$VM_LOG" "$VM_DIR/panic"
	done
}

vm_start() {
	local image=$1
	shift
	if [ -n "${VM_NODE-}" ]; then
		. "$VM_NODE/node"
		return
	fi
	[ -z "$VM_PID" ] || vm_stop
	if [ -z "${VM_NO_SSH-}" ]; then
		VM_PORT=$(vm_free_port) || tap_bail_out "no free port"
		set -- --ssh "$VM_PORT" --ssh-key "$VM_DIR/key" "$@"
	fi
	: > "$VM_LOG"
	[ -n "${VM_REBOOT-}" ] || set -- --no-reboot "$@"
	vm_machine "$image" --log "$VM_LOG" "$@" &
	VM_PID=$!
}

vm_alive() {
	[ -n "$VM_PID" ] && kill -0 "$VM_PID" 2> /dev/null &&
		! grep -qs '^State:[[:space:]]*Z' "/proc/$VM_PID/status"
}

# What there is to see where something did not come.
vm_tell() {
	echo "$1"
	tail -3 "$VM_MACHINE/stderr"
	echo "the console's last lines:"
	tr -d '\r' < "$VM_LOG" | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | grep -a . | tail -30
	return 1
}

# vm_wait WHAT COMMAND…: until COMMAND succeeds, the machine ends, or time is up.
vm_wait() {
	local what=$1 end=$((SECONDS + VM_TIMEOUT))
	shift
	while ! "$@" > /dev/null 2>&1; do
		vm_alive || { vm_tell "the machine ended before $what"; return 1; }
		[ $SECONDS -lt $end ] || { vm_tell "no $what within $VM_TIMEOUT seconds"; return 1; }
		sleep 1
	done
}

vm_ssh_options() {
	printf '%s\n' -q -i "$VM_MACHINE/key" -p "$VM_PORT" -o IdentitiesOnly=yes -o BatchMode=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 \
		-o ControlMaster=auto -o "ControlPath=$VM_MACHINE/ssh" -o ControlPersist=yes
}
vm_ssh() {
	local options
	mapfile -t options < <(vm_ssh_options)
	ssh "${options[@]}" root@127.0.0.1 "$@"
}
# vm_script FILE [NAME=VALUE…]: runs a script of this directory in the guest. It is there whole before it begins: what reads
# its standard input must not find the rest of the script.
vm_script() {
	local path=/run/$1
	vm_ssh "cat > '$path'" < "$VM_ROOT/test/vm/$1" && vm_ssh "${@:2}" bash "$path" < /dev/null
}
vm_wait_ssh() { vm_wait "login by ssh" vm_ssh true < /dev/null; }
vm_console_has() { tr -d '\r' < "$VM_LOG" | grep -aqE -- "$1"; }
# What should not be there is shown.
vm_console_lacks() {
	local found
	found=$(tr -d '\r' < "$VM_LOG" | grep -aE -- "$1")
	printf '%s\n' "$found"
	[ -z "$found" ]
}
vm_wait_console() { vm_wait "'$1' on the console" vm_console_has "$1"; }

vm_end_ssh() { [ ! -S "$VM_DIR/ssh" ] || vm_ssh -O exit 2> /dev/null; }

vm_ended() { ! vm_alive; }
vm_stop() {
	[ -n "$VM_PID" ] && [ -z "${VM_NODE-}" ] || return 0
	if vm_alive && [ -S "$VM_DIR/ssh" ]; then
		vm_ssh systemctl poweroff < /dev/null > /dev/null 2>&1
		for _ in $(seq 60); do
			vm_alive || break
			sleep 1
		done
	fi
	vm_end_ssh
	# `varve run` hands the signal on to its QEMU and removes what it made.
	! vm_alive || kill "$VM_PID"
	wait "$VM_PID" 2> /dev/null
	VM_PID=
}

# Without a journal the kernel tells the console.
vm_power_off() {
	[ -z "${VM_NODE-}" ] || return 0
	vm_ssh 'dmesg -n 7' < /dev/null
	vm_stop
	vm_denials() { ! tr -d '\r' < "$VM_LOG" | grep -aE 'avc: +denied' | grep -v -- "${1:-^\$}"; }
	ok "SELinux denied nothing until the end" vm_denials "${1-}"
	ok "power-off is clean" vm_console_lacks 'Failed (unmounting|to unmount)|Unable to finalize|varve-init: .* stays'
	ok "the power-off reached the machine" vm_console_has 'reboot: Power down|reboot: System halted'
}

vm_clean_up() {
	if [ -n "$VM_PID" ] && [ -z "${VM_NODE-}" ]; then
		vm_end_ssh
		! vm_alive || kill "$VM_PID"
		wait "$VM_PID" 2> /dev/null
	fi
	if [ -n "${VARVE_VM_KEEP-}" ]; then
		echo "# logs are in $VM_DIR"
	else
		rm -rf "$VM_DIR"
	fi
}
trap vm_clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
