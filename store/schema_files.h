/* schema_files.h - the migrations of schema/, compiled in (made by schema/embed.py). In order; version 1 is the first. */
#ifndef TOCSIN_STORE_SCHEMA_FILES_H
#define TOCSIN_STORE_SCHEMA_FILES_H
#include <stddef.h>

struct schema_file {
    const char *name; /* "001_init.sql" */
    int version;
    const char *sql; /* the whole file; several statements */
};

extern const struct schema_file schema_files[];
extern const size_t schema_files_n;
#endif
