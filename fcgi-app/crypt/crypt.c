#include "crypt/crypt.h"

#include <sodium.h>

enum err crypt_start(void)
{
    if (sodium_init() < 0)
        return err_set(E_INTERNAL, "libsodium cannot start: no source of random numbers");
    return E_OK;
}
