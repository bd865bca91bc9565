/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/access/secret.h"
#include "server/admin_token.h"
#include "server/db/data_dir.h"
#include "storage/token.h"

struct init {
    const struct config *config;
    char folder[PATH_MAX];       /* of the configuration file */
    char backup_token[PATH_MAX]; /* the file */
    char database[PATH_MAX];
    char admin_token[PATH_MAX];
    uid_t uid; /* who runs the server */
    gid_t gid;
    char secret[SECRET_SIZE]; /* of the backup timer */
    struct sha256 hash;       /* of the secret */
    bool made_secret;
    bool has_database;
};

static void say(const char *path, const char *what)
{
    printf("%s: %s\n", path, what);
}

static bool path_in(char out[PATH_MAX], const char *folder, const char *name, struct error *err)
{
    return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ||
           error_set(err, ERROR_INVALID, "the path %.200s… is too long", folder);
}

static bool find_paths(struct init *init, struct error *err)
{
    const char *path = init->config->path, *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) : 0;
    if (len >= PATH_MAX)
        return error_set(err, ERROR_INVALID, "the path %.200s… is too long", path);
    snprintf(init->folder, sizeof init->folder, "%.*s", len ? len : 1, len ? path : slash ? "/" : ".");
    return path_in(init->backup_token, init->folder, "backup.token", err) &&
           path_in(init->database, init->config->data_dir, "dfota.db", err) &&
           path_in(init->admin_token, init->config->data_dir, "admin.token", err);
}

/* The owner of the data directory, which is made when it is missing. */
static bool find_owner(struct init *init, struct error *err)
{
    const char *path = init->config->data_dir;
    struct stat found;
    if (stat(path, &found) == 0) {
        init->uid = geteuid() == 0 ? found.st_uid : geteuid();
        init->gid = geteuid() == 0 ? found.st_gid : getegid();
        return true;
    }
    if (errno != ENOENT)
        return error_errno(err, errno, "cannot open %s", path);
    const struct passwd *user = geteuid() == 0 ? getpwnam(INIT_USER) : NULL;
    if (geteuid() == 0 && !user)
        return error_set(err, ERROR_UNAVAILABLE,
                         "there is no user " INIT_USER
                         " who would own %.200s: run systemd-sysusers, or make this "
                         "directory for the user who runs the server",
                         path);
    init->uid = user ? user->pw_uid : geteuid();
    init->gid = user ? user->pw_gid : getegid();
    if (mkdir(path, 0700) != 0 || (user && lchown(path, init->uid, init->gid) != 0))
        return error_errno(err, errno, "cannot make the data directory %s", path);
    return true;
}

/* A new file, complete and durable before it gets its name; a file that is there is never replaced. */
static bool publish(FILE *file, const char *fresh, const char *path, struct error *err)
{
    bool ok = fflush(file) == 0 && fsync(fileno(file)) == 0 && link(fresh, path) == 0;
    int number = errno;
    unlink(fresh);
    return ok || error_errno(err, number, "cannot write %s", path);
}

/* NULL: an error. `fresh`: the path of the file until publish(). */
static FILE *make_file(const char *path, mode_t mode, gid_t group, char fresh[PATH_MAX], struct error *err)
{
    if (snprintf(fresh, PATH_MAX, "%s.new", path) >= PATH_MAX) {
        error_set(err, ERROR_INVALID, "the path %.200s… is too long", path);
        return NULL;
    }
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 && (geteuid() != 0 || fchown(fd, 0, group) == 0) && fchmod(fd, mode) == 0
                     ? fdopen(fd, "w")
                     : NULL;
    if (!file) {
        error_errno(err, errno, "cannot write %s", path);
        if (fd >= 0)
            close(fd);
    }
    return file;
}

static bool write_config(const struct init *init, int argc, char **argv, struct error *err)
{
    const char *path = init->config->path;
    char fresh[PATH_MAX];
    if (init->config->was_read) {
        if (config_print_options(NULL, argc, argv) > 0)
            return error_set(err, ERROR_INVALID, "%.200s is there already: write the options into it by hand",
                             path);
        say(path, "is there, kept");
        return true;
    }
    if (mkdir(init->folder, 0755) == 0) {
        if (chmod(init->folder, 0755) != 0) /* whatever the umask is */
            return error_errno(err, errno, "cannot make %s", init->folder);
    } else if (errno != EEXIST) {
        return error_errno(err, errno, "cannot make %s", init->folder);
    }
    FILE *file = make_file(path, 0640, init->gid, fresh, err);
    if (!file)
        return false;
    if (config_print_options(file, argc, argv) > 0)
        fputs("\n\n", file);
    config_print_sample(file);
    bool ok = publish(file, fresh, path, err);
    fclose(file);
    if (ok)
        say(path, "written, with all defaults");
    return ok;
}

static bool read_secret(struct init *init, struct error *err)
{
    FILE *file = fopen(init->backup_token, "re");
    if (!file)
        return error_errno(err, errno, "cannot read %s", init->backup_token);
    bool ok = fgets(init->secret, sizeof init->secret, file) != NULL;
    fclose(file);
    if (!ok)
        return error_set(err, ERROR_INVALID, "%.200s is empty: remove it, and run dfotad --init again",
                         init->backup_token);
    init->secret[strcspn(init->secret, "\r\n")] = '\0';
    sha256_of(init->secret, strlen(init->secret), &init->hash);
    return true;
}

/* The file is durable before the database has the hash: else a power cut could leave a token without its secret. */
static bool write_backup_token(struct init *init, struct error *err)
{
    char fresh[PATH_MAX];
    if (access(init->backup_token, F_OK) == 0)
        return read_secret(init, err);
    FILE *file = make_file(init->backup_token, 0600, 0, fresh, err);
    if (!file)
        return false;
    bool ok = secret_make(init->secret, &init->hash, err) &&
              (fprintf(file, "%s\n", init->secret) > 0 ||
               error_errno(err, errno, "cannot write %s", init->backup_token)) &&
              publish(file, fresh, init->backup_token, err);
    if (!ok)
        unlink(fresh);
    fclose(file);
    init->made_secret = ok;
    return ok;
}

/* From here on nothing needs root. The directory belongs to the user of the server, who could have put links to files of
   root into it. */
static bool become_owner(const struct init *init, struct error *err)
{
    if (geteuid() != 0 || init->uid == 0)
        return true;
    if (setgroups(0, NULL) != 0 || setresgid(init->gid, init->gid, init->gid) != 0 ||
        setresuid(init->uid, init->uid, init->uid) != 0)
        return error_errno(err, errno, "cannot become the owner of %s", init->config->data_dir);
    return true;
}

static bool is_known(const struct init *init, struct db *db, bool *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    size_t count;
    *ret = false;
    if (!token_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        *ret = *ret || (!list[i].revoked_ms && sha256_equal(&list[i].hash, &init->hash));
    return true;
}

static bool store_tokens(struct init *init, struct db *db, struct error *err)
{
    bool known;
    if (!admin_token_load(init->config->data_dir, db, err))
        return false;
    say(init->config->data_dir, init->has_database ? "has a database, kept" : "made, with an empty database");
    if (!init->has_database)
        say(init->admin_token, "written, the token of the admin");
    if (!init->made_secret) {
        if (!is_known(init, db, &known, err))
            return false;
        if (!known)
            return error_set(err, ERROR_INVALID,
                             "%.200s is not a token of this server: remove it, and run dfotad --init again",
                             init->backup_token);
        say(init->backup_token, "is there, kept");
        return true;
    }
    if (!admin_token_add_named(db, "backup", &init->hash, "dfotad --init", err))
        return false;
    say(init->backup_token, "written, the token of the backup timer");
    return true;
}

static bool fill_data(struct init *init, struct error *err)
{
    struct data_dir data = DATA_DIR_CLOSED;
    struct db *db = NULL;
    bool ok = data_dir_open(init->config->data_dir, &data, err) && db_open_writer(init->database, &db, err) &&
              store_tokens(init, db, err);
    db_close(db);
    data_dir_close(&data);
    return ok;
}

static bool is_running(const struct init *init)
{
    struct data_dir data = DATA_DIR_CLOSED;
    struct error ignored;
    bool locked = data_dir_lock(init->config->data_dir, &data, &ignored);
    data_dir_close(&data);
    return !locked && ignored.code == ERROR_UNAVAILABLE;
}

static bool make_all(struct init *init, int argc, char **argv, struct error *err)
{
    if (!find_paths(init, err) || !find_owner(init, err))
        return false;
    init->has_database = access(init->database, F_OK) == 0;
    if (init->has_database && is_running(init)) {
        if (!init->config->was_read || access(init->backup_token, F_OK) != 0)
            return error_set(err, ERROR_UNAVAILABLE, "a server uses %.200s: stop it first",
                             init->config->data_dir);
        say(init->config->path, "is there, kept");
        say(init->config->data_dir, "a server uses it, kept");
        say(init->backup_token, "is there, not compared with the database of the running server");
        return true;
    }
    return write_config(init, argc, argv, err) && write_backup_token(init, err) && become_owner(init, err) &&
           fill_data(init, err);
}

bool init_run(const struct config *config, int argc, char **argv, struct error *err)
{
    struct init init = {.config = config};
    umask(077);
    log_set_level(LOG_LEVEL_WARN); /* the lines above say what was made */
    bool ok = make_all(&init, argc, argv, err);
    explicit_bzero(init.secret, sizeof init.secret);
    return ok;
}
