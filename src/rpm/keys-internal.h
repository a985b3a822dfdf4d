/* What src/rpm alone may do with package keys. */
#pragma once

#include "rpm/keys.h"

#include <rpm/rpmkeyring.h>

/** varve_package_keys_keyring: (borrowed) the keys as librpm wants them. */
rpmKeyring varve_package_keys_keyring(const VarvePackageKeys *keys);

/** varve_package_keys_add_to: adds all keys to another keyring. */
void varve_package_keys_add_to(const VarvePackageKeys *keys, rpmKeyring keyring);
