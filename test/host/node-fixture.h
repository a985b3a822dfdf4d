/* A node made of loop devices, for what asks a running node: a base at the root, layers merged over
 * /usr, /etc as an overlay, all under the names that a node has, because it is entered by chroot.
 * In a mount namespace of its own. There is no dm-verity. */
#pragma once

#include "unit/layer-make.h"

#define NODE_READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

typedef struct {
	char *dir, *root; /* on the host */
	VarvePrivateKey *key;
	VarveCertificate *certificate;
	GPtrArray *hashes; /* char *: of the layers, lowest first; the base is 0 */
	int outside;       /* the host's root */
} NodeFixture;

/** (static, nullable) why it cannot be made here. Else the process has a mount namespace of its
 * own. */
const char *node_fixture_obstacle(void);

/** node_fixture_init: directories and a key. */
void node_fixture_init(NodeFixture *node);

/** node_fixture_base: the base of @tree, which has to have proc, run, var, etc and usr. */
void node_fixture_base(NodeFixture *node, const char *tree, LayerTamper tamper);

/** node_fixture_layer: one more layer of @tree on top of the others.
 *  @keep_file: whether its file lies where a node has it. */
void node_fixture_layer(NodeFixture *node, const char *name, const char *tree, LayerTamper tamper,
			gboolean keep_file);

/** node_fixture_enter: merges what there is and goes there. */
void node_fixture_enter(NodeFixture *node);

/** node_fixture_clear: goes back and removes everything. */
void node_fixture_clear(NodeFixture *node);
