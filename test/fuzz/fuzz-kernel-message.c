/* Records of /dev/kmsg and the messages in them. */
#include "format/kernel-message.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveKmsg) kmsg = varve_kmsg_parse((const char *)data, size);
	g_autofree char *text = kmsg ? NULL : g_strndup((const char *)data, size);
	g_auto(VarveMessage) message = { 0 };

	varve_message_parse(kmsg ? kmsg->text : text, &message);
	if (strlen(message.comm) + strlen(message.what) > size)
		__builtin_trap();
	return 0;
}
