/* Whether KVM works here: not whether /dev/kvm is there, but whether a guest's code runs
 * (Linux, virt/kvm/api). */
#include "base/error.h"
#include "ground/fd.h"
#include "image/run.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define GUEST_PAGE 4096

typedef struct {
	int machine, processor;
	void *memory;
	struct kvm_run *state;
	size_t state_size;
} Probe;

static void probe_clear(Probe *probe)
{
	if (probe->state != MAP_FAILED)
		munmap(probe->state, probe->state_size);
	if (probe->memory != MAP_FAILED)
		munmap(probe->memory, GUEST_PAGE);
	varve_autofd_close(&probe->processor);
	varve_autofd_close(&probe->machine);
}

#ifdef __x86_64__

/* What every firmware does in its first microseconds: the floating-point unit, in flat 32-bit
 * protected mode. A KVM that has to emulate the guest gives up at it. */
static const guint8 guest_code[] = {
	0x9b,       /* fwait */
	0xdb, 0xe3, /* fninit */
	0xf4        /* hlt */
};

static void flat_segment(struct kvm_segment *segment, guint16 selector, guint8 type)
{
	*segment = (struct kvm_segment){ .base = 0,
					 .limit = 0xffffffff,
					 .selector = selector,
					 .type = type,
					 .present = 1,
					 .db = 1,
					 .s = 1,
					 .g = 1 };
}

static gboolean run_code(Probe *probe, const char **ret_reason)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_PAGE,
		.memory_size = GUEST_PAGE,
		.userspace_addr = (guint64)(guintptr)probe->memory,
	};
	struct kvm_regs registers = { .rip = GUEST_PAGE, .rflags = 2 };
	struct kvm_sregs special;

	*ret_reason = "a machine cannot be set up";
	memcpy(probe->memory, guest_code, sizeof(guest_code));
	if (ioctl(probe->machine, KVM_SET_USER_MEMORY_REGION, &region) < 0 ||
	    ioctl(probe->processor, KVM_GET_SREGS, &special) < 0)
		return FALSE;
	special.cr0 |= 0x31; /* PE, ET, NE */
	flat_segment(&special.cs, 0x08, 0xb);
	flat_segment(&special.ds, 0x10, 0x3);
	special.es = special.fs = special.gs = special.ss = special.ds;
	if (ioctl(probe->processor, KVM_SET_SREGS, &special) < 0 ||
	    ioctl(probe->processor, KVM_SET_REGS, &registers) < 0)
		return FALSE;
	*ret_reason = "it cannot execute what firmware executes (a nested hypervisor that "
		      "emulates?)";
	return ioctl(probe->processor, KVM_RUN, 0) == 0 &&
	       probe->state->exit_reason == KVM_EXIT_HLT;
}

#else

static gboolean run_code(Probe *probe G_GNUC_UNUSED, const char **ret_reason G_GNUC_UNUSED)
{
	return TRUE;
}

#endif

static gboolean probe_kvm(int kvm, const char **ret_reason)
{
	Probe probe = { .machine = -1, .processor = -1, .memory = MAP_FAILED, .state = MAP_FAILED };
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	gboolean works = FALSE;

	*ret_reason = "it makes no machine or processor";
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION && size > 0) {
		probe.machine = ioctl(kvm, KVM_CREATE_VM, 0);
		probe.processor = probe.machine < 0 ? -1 : ioctl(probe.machine, KVM_CREATE_VCPU, 0);
		probe.state_size = (size_t)size;
	}
	if (probe.processor >= 0) {
		probe.memory = mmap(NULL, GUEST_PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		probe.state = mmap(NULL, probe.state_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				   probe.processor, 0);
	}
	if (probe.memory != MAP_FAILED && probe.state != MAP_FAILED)
		works = run_code(&probe, ret_reason);
	probe_clear(&probe);
	return works;
}

gboolean varve_kvm_works(const VarveArch *arch, char **ret_reason)
{
	varve_autofd kvm = -1;
	const char *reason;
	gboolean works;

	if (arch != varve_arch_native()) {
		if (ret_reason)
			*ret_reason = g_strdup("this machine is of another architecture");
		return FALSE;
	}
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		if (ret_reason)
			*ret_reason = g_strdup_printf("/dev/kvm: %s", g_strerror(errno));
		return FALSE;
	}
	works = probe_kvm(kvm, &reason);
	if (!works && ret_reason)
		*ret_reason = g_strdup_printf("/dev/kvm: %s", reason);
	return works;
}
