#include "alerts/rules/key.h"

#include <string.h>

/* A negative double has its sign bit set and grows downwards as its bits grow: INT64_MIN -
 * bits turns both round. */
int64_t key_of_double(double v)
{
    int64_t bits;
    v += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

double key_to_double(int64_t key)
{
    int64_t bits = key >= 0 ? key : INT64_MIN - key;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
