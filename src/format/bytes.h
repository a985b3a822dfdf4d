/* Little-endian integers at any address, for formats that lie in files. */
#pragma once

#include <glib.h>
#include <string.h>

static inline guint16 varve_get_le16(const void *at)
{
	guint16 value;

	memcpy(&value, at, sizeof(value));
	return GUINT16_FROM_LE(value);
}

static inline guint32 varve_get_le32(const void *at)
{
	guint32 value;

	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static inline guint64 varve_get_le64(const void *at)
{
	guint64 value;

	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_LE(value);
}

static inline void varve_put_le16(void *at, guint16 value)
{
	value = GUINT16_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline void varve_put_le32(void *at, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline void varve_put_le64(void *at, guint64 value)
{
	value = GUINT64_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}
