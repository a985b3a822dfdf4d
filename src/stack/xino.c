/* The arithmetic of xino. */
#include "stack/xino.h"

/* As many bits as numbers up to n take, and one below them that tells an overflow. */
static guint shift_for(guint n)
{
	return 63 - (guint)g_bit_nth_msf(n, -1);
}

guint varve_xino_layer(guint64 inode, guint n, guint64 *ret_inode)
{
	guint shift;
	guint64 layer;

	if (n < 2)
		return 0;
	shift = shift_for(n);
	layer = inode >> shift;
	if (layer == 0 || layer > n || (inode >> (shift - 1) & 1))
		return 0;
	if (ret_inode)
		*ret_inode = inode & (((guint64)1 << (shift - 1)) - 1);
	return (guint)layer;
}

guint64 varve_xino_number(guint64 inode, guint layer, guint n)
{
	return (guint64)layer << shift_for(n) | inode;
}
