#include "core/buf.h"
#include "ingest/formats/format.h"

#include <string.h>

#define FORMAT(name) extern const struct format format_##name;
#include "ingest/formats/formats.def"
#undef FORMAT

static const struct format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "ingest/formats/formats.def"
#undef FORMAT
};

enum err format_find(const char *name, const struct format **out, struct why *why)
{
    AUTO_BUF struct buf names = { 0 };
    *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(formats) && !*out; i++) {
        if (!name || strcmp(formats[i]->name, name) == 0) *out = formats[i];
        buf_printf(&names, "%s%s", i ? ", " : "", formats[i]->name);
    }
    if (*out) return ERR_OK;
    return err_set(why, ERR_INVALID, "format \"%.60s\" is none of: %s", name,
                   names.data ? names.data : "");
}
