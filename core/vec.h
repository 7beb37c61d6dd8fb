/* vec.h - growing an array: VEC_GROW(&array, &cap, need) makes room for `need` elements; false when out of memory. */
#ifndef TOCSIN_CORE_VEC_H
#define TOCSIN_CORE_VEC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static inline bool vec_grow(void **array, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return true;
    size_t to = *cap ? *cap : 8;
    while (to < need) to *= 2;
    void *p = realloc(*array, to * size);
    if (!p) return false;
    *array = p;
    *cap = to;
    return true;
}
#define VEC_GROW(array, cap, need) vec_grow((void **)(array), cap, need, sizeof **(array))
#endif
