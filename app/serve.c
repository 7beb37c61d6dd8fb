/* serve.c - `tocsin serve`: the service, of a configuration. */
#include "app/app.h"

#include <stdio.h>
#include <string.h>

const char serve_usage[] = "usage: tocsin serve -c FILE\n";

int cmd_serve(int argc, char **argv)
{
    struct config c;
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs(serve_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(argv[2], &c);
    if (!code) code = service_run(&c, argv[2], NULL, NULL);
    config_release(&c);
    return code;
}
