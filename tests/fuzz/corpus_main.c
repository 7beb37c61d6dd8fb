/* corpus_main.c - runs a fuzz target over files, for builds without libFuzzer: link it with any
 * fuzz_*.c.
 *
 *   fuzz_decode FILE|DIRECTORY ...     directories are read whole, in name order; says how many inputs it has run
 *
 * An empty input runs first, in every case. The bytes lie in a block of exactly their size, so
 * that a sanitizer sees a step beyond. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t inputs_n;
static const char *running = "empty input";

static void die(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    exit(2);
}

static void run_file(const char *path, size_t n)
{
    uint8_t *bytes = malloc(n ? n : 1);
    FILE *f = fopen(path, "rb");
    if (!bytes || !f || fread(bytes, 1, n, f) != n) die("cannot read", path);
    fclose(f);
    running = path;
    LLVMFuzzerTestOneInput(bytes, n);
    inputs_n++;
    free(bytes);
}

static void run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st)) die("no such file", path);
    if (!S_ISDIR(st.st_mode)) {
        run_file(path, (size_t)st.st_size);
        return;
    }

    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0) die("cannot list", path);
    for (int i = 0; i < n; i++) {
        char inner[4096];
        if (entries[i]->d_name[0] != '.') {
            if (snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name)
                >= (int)sizeof inner)
                die("name too long in", path);
            run_path(inner);
        }
        free(entries[i]);
    }
    free(entries);
}

/* Whatever ends the process - a property that does not hold, a crash, a sanitizer - the input is
 * named. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
static void name_culprit(void)
{
    static const char label[] = "while running: ";
    ssize_t ignored = write(STDERR_FILENO, label, sizeof label - 1);
    ignored += write(STDERR_FILENO, running, strlen(running));
    ignored += write(STDERR_FILENO, "\n", 1);
    (void)ignored;
}
static void on_signal(int number)
{
    name_culprit();
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(name_culprit);
    else signal(SIGSEGV, on_signal);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) run_path(argv[i]);
    printf("%zu inputs, all properties hold\n", inputs_n + 1);
    return 0;
}
