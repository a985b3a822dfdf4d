/* Words of the kernel's command line (Linux, admin-guide/kernel-parameters). */
#include "ground/cmdline.h"

#include "ground/fd.h"

#include <fcntl.h>
#include <string.h>

int varve_cmdline_read(char ret_text[VARVE_CMDLINE_SIZE])
{
	varve_autofd fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = varve_fd_read_full(fd, ret_text, VARVE_CMDLINE_SIZE - 1, 0);
	if (n < 0)
		return -1;
	while (n > 0 && (ret_text[n - 1] == '\n' || ret_text[n - 1] == '\0'))
		n--;
	ret_text[n] = '\0';
	return 0;
}

/* Copies a value without its quotes; 0 where it does not fit. */
static int copy_value(const char *from, size_t length, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (from[i] == '"')
			continue;
		if (used + 1 >= size)
			return 0;
		ret[used++] = from[i];
	}
	ret[used] = '\0';
	return 1;
}

int varve_cmdline_get(const char *text, const char *key, char *ret_value, size_t size)
{
	size_t key_length = strlen(key);
	int found = 0;

	for (const char *p = text; *p;) {
		const char *word;
		size_t length;
		int quoted = 0;

		while (*p == ' ' || *p == '\t')
			p++;
		word = p;
		while (*p && (quoted || (*p != ' ' && *p != '\t'))) {
			if (*p == '"')
				quoted = !quoted;
			p++;
		}
		length = (size_t)(p - word);
		if (length == 2 && memcmp(word, "--", 2) == 0)
			break;
		if (length > 1 && word[0] == '"') {
			word++;
			length--;
		}
		if (length < key_length || memcmp(word, key, key_length) != 0)
			continue;
		if (length > key_length && word[key_length] != '=')
			continue;
		if (!ret_value)
			found = 1;
		else if (length == key_length)
			found = copy_value("", 0, ret_value, size);
		else
			found = copy_value(word + key_length + 1, length - key_length - 1,
					   ret_value, size);
	}
	return found;
}
