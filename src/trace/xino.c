/* The arithmetic of xino. */
#include "trace/xino.h"

guint varve_xino_layer(guint64 inode, guint n, guint64 *ret_inode)
{
	guint shift;
	guint64 layer;

	if (n < 2)
		return 0;
	/* As many bits as numbers up to n take, and one below them that tells an overflow. */
	shift = 63 - g_bit_nth_msf(n, -1);
	layer = inode >> shift;
	if (layer == 0 || layer > n || (inode >> (shift - 1) & 1))
		return 0;
	if (ret_inode)
		*ret_inode = inode & (((guint64)1 << (shift - 1)) - 1);
	return (guint)layer;
}
