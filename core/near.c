/* near.c - optimal string alignment, by rows: d[i][j] is how many slips lie between the first i letters of the word and the
 * first j of the name.
 *
 *          h  h  i
 *       0  1  2  3
 *    h  1  0  1  2
 *    i  2  1  1  1
 *    i  3  2  2  1      "hii" is 1 away */
#include "core/near.h"

enum { LETTERS_MAX = 31 }; /* longer words are near nothing */

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static int least(int a, int b) { return a < b ? a : b; }

int near_slips(struct str word, const char *name)
{
    int d[LETTERS_MAX + 1][LETTERS_MAX + 1];
    const size_t n = word.n, m = strlen(name);
    const int allowed = n > 5 ? NEAR_MAX : 1;
    if (n < 2 || n > LETTERS_MAX || m > LETTERS_MAX) return NEAR_NOT;
    for (size_t i = 0; i <= n; i++) d[i][0] = (int)i;
    for (size_t j = 0; j <= m; j++) d[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            const char a = small(word.p[i - 1]), b = small(name[j - 1]);
            int slips = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a != b));
            if (i > 1 && j > 1 && a == small(name[j - 2]) && small(word.p[i - 2]) == b)
                slips = least(slips, d[i - 2][j - 2] + 1);
            d[i][j] = slips;
        }
    return d[n][m] <= allowed ? d[n][m] : NEAR_NOT;
}
