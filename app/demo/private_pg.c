#include "app/demo/private_pg.h"

#include "core/when.h"
#include "store/db.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_SIZE = 4096,
    PORT = 54320,
    INITDB_S = 120,
    START_S = 120,
    STOP_MS = 7000,
    HARD_STOP_MS = 1500,
    OLD_SERVER_MS = 8000
};
#define SUPERUSER "tocsin"
#define PROGRAMS "/usr/lib/postgresql"

struct private_pg {
    char bin[PATH_SIZE], cluster[PATH_SIZE], log[PATH_SIZE], sockets[PATH_SIZE];
    bool own_sockets; /* a folder in /tmp that ends with the server */
    bool drops;       /* root: the programs run as this user */
    uid_t uid;
    gid_t gid;
    pid_t pid; /* 0: not running */
};

bool interrupted_within(int ms)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000l };
    int64_t until = mono_ns() + ms * NS_PER_MS;
    for (;;) {
        int got = sigtimedwait(&set, NULL, &t);
        if (got > 0) return true;
        if (errno != EINTR || mono_ns() >= until) return false;
    }
}

/* ---- where things are ---- */
static bool programs_of(long version, char out[PATH_SIZE])
{
    char program[PATH_SIZE + 16];
    snprintf(out, PATH_SIZE, PROGRAMS "/%ld/bin", version);
    snprintf(program, sizeof program, "%s/initdb", out);
    if (access(program, X_OK)) return false;
    snprintf(program, sizeof program, "%s/postgres", out);
    return access(program, X_OK) == 0;
}

/* The version that made the cluster, if there is one: no other reads its files. */
static long cluster_version(const struct private_pg *pg)
{
    char path[PATH_SIZE + 16];
    long version = 0;
    snprintf(path, sizeof path, "%s/PG_VERSION", pg->cluster);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    if (fscanf(f, "%ld", &version) != 1) version = 0;
    fclose(f);
    return version;
}

static enum err find_programs(struct private_pg *pg, struct why *why)
{
    long made_by = cluster_version(pg), best = 0;
    if (made_by)
        return programs_of(made_by, pg->bin)
                   ? ERR_OK
                   : err_set(why, ERR_NOT_FOUND,
                             "the data folder was made by PostgreSQL %ld, which is not in " PROGRAMS
                             ": install postgresql-%ld, or give another folder with --data",
                             made_by, made_by);
    DIR *d = opendir(PROGRAMS);
    for (struct dirent *f; d && (f = readdir(d)) != NULL;) {
        char *end, bin[PATH_SIZE];
        long version = strtol(f->d_name, &end, 10);
        if (version > best && !*end && programs_of(version, bin)) best = version;
    }
    if (d) closedir(d);
    return best && programs_of(best, pg->bin)
               ? ERR_OK
               : err_set(why, ERR_NOT_FOUND,
                         "PostgreSQL's server programs are not in " PROGRAMS
                         "/*/bin: install the package postgresql");
}

static enum err find_user(struct private_pg *pg, struct why *why)
{
    if (geteuid() != 0) return ERR_OK;
    const struct passwd *p = getpwnam("postgres");
    if (!p)
        return err_set(
            why, ERR_NOT_FOUND,
            "PostgreSQL does not run as root, and there is no user postgres to run it as: install the package postgresql, or run the demo as another user");
    pg->drops = true;
    pg->uid = p->pw_uid;
    pg->gid = p->pw_gid;
    return ERR_OK;
}

/* The socket's folder is the cluster's, which nobody else can enter. Sockets have short names, so a long path gets one in /tmp, as
 * does one that the server's setting would take for a list. */
static enum err find_sockets(struct private_pg *pg, struct why *why)
{
    struct sockaddr_un a;
    char name[PATH_SIZE + 32];
    snprintf(name, sizeof name, "%s/.s.PGSQL.%d", pg->cluster, PORT);
    snprintf(pg->sockets, sizeof pg->sockets, "%s", pg->cluster);
    if (strlen(name) < sizeof a.sun_path && !strpbrk(name, ",\"'\\")) return ERR_OK;
    snprintf(pg->sockets, sizeof pg->sockets, "/tmp/tocsin-pg-XXXXXX");
    if (!mkdtemp(pg->sockets)) return err_set(why, ERR_IO, "/tmp: %s", strerror(errno));
    pg->own_sockets = true;
    if (pg->drops && chown(pg->sockets, pg->uid, pg->gid))
        return err_set(why, ERR_IO, "%s: %s", pg->sockets, strerror(errno));
    return ERR_OK;
}

/* ---- running its programs ---- */
enum { CANNOT_ENTER = 101, CANNOT_EXEC = 102, CANNOT_DROP = 103 };

static void become(const struct private_pg *pg, int death_signal, pid_t parent, const char *folder)
{
    sigset_t none;
    int log = open(pg->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log >= 0) {
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    if (null >= 0) dup2(null, STDIN_FILENO);
    setsid(); /* a Ctrl-C is ours to pass on, in order */
    if (pg->drops && (initgroups("postgres", pg->gid) || setgid(pg->gid) || setuid(pg->uid)))
        _exit(CANNOT_DROP);
    prctl(PR_SET_PDEATHSIG, death_signal); /* after setuid, which clears it */
    if (getppid() != parent) _exit(1);
    if (chdir(folder)) _exit(CANNOT_ENTER);
    for (const char *const *v = (const char *const[]){ "PGDATA", "PGHOST", "PGPORT", "PGOPTIONS",
                                                       "PGUSER", "PGDATABASE", NULL };
         *v; v++)
        unsetenv(*v);
    setenv("LC_ALL", "C.UTF-8", 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}

/* args[0] is the program's name, NULL ends them; the child's args[0] becomes its path in full: the programs look for each other
 * beside it, and are not on PATH. The list itself is handed on, so that none of it can be lost on the way. */
static pid_t launch(const struct private_pg *pg, const char **args, int death_signal,
                    const char *folder)
{
    char path[PATH_SIZE + 16];
    pid_t parent = getpid(), pid;
    int n = snprintf(path, sizeof path, "%s/%s", pg->bin, args[0]);
    assert(n > 0 && (size_t)n < sizeof path); /* programs_of found it there */
    if ((pid = fork()) != 0) return pid;
    become(pg, death_signal, parent, folder);
    args[0] = path;
    execv(path, (char *const *)(uintptr_t)args);
    _exit(CANNOT_EXEC);
}

static void last_line(const char *path, char *out, size_t cap)
{
    char text[2048] = "";
    FILE *f = fopen(path, "re");
    out[0] = '\0';
    if (!f) return;
    if (fseek(f, -(long)sizeof text + 1, SEEK_END)) rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    while (n > 0 && text[n - 1] == '\n') text[--n] = '\0';
    const char *from = strrchr(text, '\n');
    snprintf(out, cap, "%.250s", from ? from + 1 : text);
}

static enum err explain(const struct private_pg *pg, const char *program, int status,
                        struct why *why)
{
    char line[256];
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == CANNOT_ENTER)
        return err_set(
            why, ERR_IO,
            "user postgres cannot enter the data folder: give one outside root's home with --data");
    if (code == CANNOT_DROP) return err_set(why, ERR_IO, "cannot become user postgres");
    last_line(pg->log, line, sizeof line);
    return err_set(why, ERR_DB, "%s failed (%s %d): %s", program,
                   code >= 0 ? "exit code" : "signal", code >= 0 ? code : WTERMSIG(status), line);
}

/* Waits for the process to end: false when it has not by then. */
static bool ends_within(pid_t pid, int ms, int *status, bool *interrupted)
{
    int64_t until = mono_ns() + ms * NS_PER_MS;
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR)) return true;
        if (mono_ns() > until) return false;
        if (interrupted_within(20)) {
            *interrupted = true;
            return false;
        }
    }
}

/* ---- making the cluster ---- */
/* An empty folder under another name; an interrupted one of before is kept aside, not deleted. */
static enum err fresh_folder(const struct private_pg *pg, char fresh[PATH_SIZE], struct why *why)
{
    char old[PATH_SIZE];
    if ((size_t)snprintf(fresh, PATH_SIZE, "%.4000s.new", pg->cluster) >= PATH_SIZE)
        return err_set(why, ERR_IO, "the data folder's path is too long");
    snprintf(old, sizeof old, "%.4000s.failed-%d", pg->cluster, (int)getpid());
    bool ok = (rename(fresh, old) == 0 || errno == ENOENT) && mkdir(fresh, 0700) == 0
              && (!pg->drops || chown(fresh, pg->uid, pg->gid) == 0);
    return ok ? ERR_OK : err_set(why, ERR_IO, "%s: %s", fresh, strerror(errno));
}

static enum err run_initdb(const struct private_pg *pg, const char *fresh, struct why *why)
{
    const char *args[] = { "initdb",           "-D", fresh,   "-U",
                           SUPERUSER,          "-A", "trust", "--encoding=UTF8",
                           "--locale=C.UTF-8", NULL };
    int status = 0;
    bool interrupted = false;
    pid_t pid = launch(pg, args, SIGTERM, fresh);
    if (pid < 0) return err_set(why, ERR_IO, "fork: %s", strerror(errno));
    if (!ends_within(pid, INITDB_S * 1000, &status, &interrupted)) {
        kill(pid, SIGTERM);
        waitpid(pid, &status, 0);
        return interrupted ? err_set(why, ERR_STOPPING, "interrupted")
                           : err_set(why, ERR_DB, "initdb did not end within %d s", INITDB_S);
    }
    return WIFEXITED(status) && !WEXITSTATUS(status) ? ERR_OK : explain(pg, "initdb", status, why);
}

static enum err make_cluster(struct private_pg *pg, struct why *why)
{
    char fresh[PATH_SIZE];
    enum err e = fresh_folder(pg, fresh, why);
    if (!e && (e = run_initdb(pg, fresh, why)) != ERR_OK)
        rmdir(fresh); /* goes when a failed initdb has emptied it */
    if (!e && rename(fresh, pg->cluster))
        e = err_set(why, ERR_IO, "%s: %s", fresh, strerror(errno));
    return e;
}

/* ---- the server ---- */
static bool server_lives(const struct private_pg *pg, long *pid)
{
    char path[PATH_SIZE + 32], comm[32] = "";
    snprintf(path, sizeof path, "%s/postmaster.pid", pg->cluster);
    FILE *f = fopen(path, "re");
    if (!f) return false;
    bool read = fscanf(f, "%ld", pid) == 1;
    fclose(f);
    if (!read || *pid <= 1) return false;
    snprintf(path, sizeof path, "/proc/%ld/comm", *pid);
    f = fopen(path, "re");
    if (!f) return false;
    read = fgets(comm, sizeof comm, f) != NULL;
    fclose(f);
    return read && strncmp(comm, "postgres", 8) == 0;
}

/* One of a demo that was killed is shutting down right now: give it time. */
static enum err wait_for_old(const struct private_pg *pg, struct why *why)
{
    long pid = 0;
    for (int64_t until = mono_ns() + OLD_SERVER_MS * NS_PER_MS; server_lives(pg, &pid);) {
        if (mono_ns() > until)
            return err_set(
                why, ERR_CONFLICT,
                "a PostgreSQL server (process %ld) of an earlier demo still runs in %.200s: end it with 'kill -INT %ld', or give another folder with --data",
                pid, pg->cluster, pid);
        if (interrupted_within(100)) return err_set(why, ERR_STOPPING, "interrupted");
    }
    return ERR_OK;
}

static enum err spawn_server(struct private_pg *pg, struct why *why)
{
    char port[16], sockets[PATH_SIZE + 32];
    snprintf(port, sizeof port, "%d", PORT);
    snprintf(sockets, sizeof sockets, "--unix_socket_directories=%s", pg->sockets);
    const char *args[] = { "postgres",
                           "-D",
                           pg->cluster,
                           "-p",
                           port,
                           sockets,
                           "--listen_addresses=",
                           "--unix_socket_permissions=0700",
                           "--shared_buffers=64MB",
                           "--max_connections=60",
                           "--max_wal_size=512MB",
                           "--wal_compression=on",
                           "--checkpoint_timeout=15min",
                           "--log_min_messages=warning",
                           "--log_checkpoints=off",
                           "--logging_collector=off",
                           NULL };
    pid_t pid = launch(pg, args, SIGINT, pg->cluster);
    if (pid < 0) return err_set(why, ERR_IO, "fork: %s", strerror(errno));
    pg->pid = pid;
    return ERR_OK;
}

static bool answers(const char *conninfo)
{
    struct db d;
    if (db_open(conninfo, NULL, "tocsin start", &d, NULL)) return false;
    db_close(&d);
    return true;
}

static enum err wait_for_server(struct private_pg *pg, struct why *why)
{
    char conninfo[1024];
    private_pg_conninfo(pg, NULL, "postgres", conninfo, sizeof conninfo);
    for (int64_t until = mono_ns() + START_S * NS_PER_S; mono_ns() < until;) {
        int status = 0;
        if (answers(conninfo)) return ERR_OK;
        if (waitpid(pg->pid, &status, WNOHANG) == pg->pid) {
            pg->pid = 0;
            return explain(pg, "the PostgreSQL server", status, why);
        }
        if (interrupted_within(50)) return err_set(why, ERR_STOPPING, "interrupted");
    }
    return err_set(why, ERR_DB,
                   "the PostgreSQL server takes no connections after %d s; its log is %.200s",
                   START_S, pg->log);
}

enum err private_pg_open(const char *folder, struct private_pg **out, struct why *why)
{
    struct private_pg *pg = calloc(1, sizeof *pg);
    struct stat st;
    if (!pg) return err_set(why, ERR_NOMEM, "out of memory");
    snprintf(pg->cluster, sizeof pg->cluster, "%s/pg", folder);
    snprintf(pg->log, sizeof pg->log, "%s/pg.log", folder);
    enum err e = find_programs(pg, why);
    if (!e) e = find_user(pg, why);
    if (!e && stat(pg->cluster, &st)) e = make_cluster(pg, why);
    if (!e) e = wait_for_old(pg, why);
    if (!e) e = find_sockets(pg, why);
    if (!e) e = spawn_server(pg, why);
    if (!e) e = wait_for_server(pg, why);
    if (e) private_pg_close(pg);
    else *out = pg;
    return e;
}

/* libpq takes 'quoted' values with backslashes before quotes and backslashes */
void private_pg_conninfo(const struct private_pg *pg, const char *user, const char *database,
                         char *out, size_t cap)
{
    char host[600];
    size_t n = 0;
    for (const char *p = pg->sockets; *p && n + 2 < sizeof host; p++) {
        if (*p == '\'' || *p == '\\') host[n++] = '\\';
        host[n++] = *p;
    }
    host[n] = '\0';
    snprintf(out, cap, "host='%s' port=%d user=%s dbname=%s", host, PORT, user ? user : SUPERUSER,
             database);
}

enum err private_pg_become_user(const struct private_pg *pg, const char *folder,
                                const char *const *files, size_t files_n, struct why *why)
{
    char path[PATH_SIZE + 64];
    if (!pg->drops) return ERR_OK;
    for (size_t i = 0; i < files_n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        if (lchown(path, pg->uid, pg->gid) && errno != ENOENT)
            return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (initgroups("postgres", pg->gid) || setgid(pg->gid) || setuid(pg->uid))
        return err_set(why, ERR_IO, "cannot become user postgres: %s", strerror(errno));
    return setuid(0) ? ERR_OK : err_set(why, ERR_IO, "root cannot be given up");
}

const char *private_pg_programs(const struct private_pg *pg) { return pg->bin; }

void private_pg_close(struct private_pg *pg)
{
    if (!pg) return;
    int status = 0;
    bool hurry = false;
    if (pg->pid > 0) {
        kill(pg->pid, SIGINT);
        if (!ends_within(pg->pid, STOP_MS, &status, &hurry)) {
            kill(pg->pid, SIGQUIT); /* no checkpoint: the next start replays its log */
            bool ignored = false;
            if (!ends_within(pg->pid, HARD_STOP_MS, &status, &ignored)) {
                kill(pg->pid, SIGKILL);
                waitpid(pg->pid, &status, 0);
            }
        }
    }
    if (pg->own_sockets) rmdir(pg->sockets);
    free(pg);
}
